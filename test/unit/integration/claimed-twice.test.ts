/** Two Services that were granted one address, as two leaders at once leave them; and what a takeover costs in requests. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { leases } from "../../../src/api/Lease.ts"
import {
  addressLabel,
  nodeLabel,
  nodeLeaseAnnotations,
  nodeLeaseName,
  serviceConditionType
} from "../../../src/api/Names.ts"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { services } from "../../../src/api/Service.ts"
import { virtually } from "../virtually.ts"
import * as TestCluster from "./TestCluster.ts"

const address = TestCluster.address("192.0.2.10")

const createPool = (cluster: TestCluster.TestCluster, addresses: ReadonlyArray<string>) =>
  cluster.api.create(persistentIPPools, {
    apiVersion: "loadbalancing.plenus.io/v1alpha1",
    kind: "PersistentIPPool",
    metadata: { name: "rack-1" },
    spec: {
      addresses,
      autoAssign: true,
      options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0", mode: "auto" } }
    }
  })

const createService = (cluster: TestCluster.TestCluster, name: string, wish?: string) =>
  cluster.api.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name,
      namespace: "shop",
      ...(wish === undefined ? {} : { annotations: { "loadbalancing.plenus.io/addresses": wish } })
    },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }] }
  })

const shownBy = ({ memory }: TestCluster.TestCluster, name: string) =>
  (memory.truth.get(services, { name, namespace: "shop" })?.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip)

const conditionOf = ({ memory }: TestCluster.TestCluster, name: string) =>
  memory.truth
    .get(services, { name, namespace: "shop" })
    ?.status?.conditions?.find(({ type }) => type === serviceConditionType)

const carriersOf = (cluster: TestCluster.TestCluster, nodes: ReadonlyArray<string>) =>
  nodes.filter((node) =>
    cluster
      .kernel(node)
      .state()
      .interfaces.some(({ addresses }) => addresses.some((each) => each.address === address))
  )

/** While no controller runs: shop/old is served on node-1; what a second leader wrote for shop/new names node-2. */
const grantTwice = Effect.fnUntraced(function* (wish?: string) {
  const cluster = yield* TestCluster.make(["node-1", "node-2"])
  const controller = yield* cluster.startController("controller-a")
  yield* cluster.startOperator("node-1")
  yield* createPool(cluster, ["192.0.2.10", "192.0.2.11"])
  yield* Effect.sleep("5 seconds")
  yield* createService(cluster, "old", address)
  yield* Effect.sleep("5 seconds")
  const operator = yield* cluster.startOperator("node-2")
  yield* Effect.sleep("5 seconds")
  yield* controller.stop
  const { metadata } = yield* createService(cluster, "new", wish)
  const ref = { name: nodeLeaseName("node-2"), namespace: TestCluster.ownNamespace }
  const holdId = cluster.memory.truth.get(leases, ref)?.metadata.annotations?.[nodeLeaseAnnotations.holdId] ?? ""
  yield* cluster.api.create(ipAllocations, {
    metadata: {
      name: "new",
      namespace: "shop",
      labels: { [nodeLabel("node-2")]: "", [addressLabel(address)]: "" },
      ownerReferences: [{ apiVersion: "v1", kind: "Service", name: "new", uid: metadata.uid ?? "" }]
    },
    spec: {
      type: "persistent",
      allocations: [{ address, pool: "rack-1", nodeName: "node-2", networkInterface: "pl0", holdId, epoch: 1 }]
    }
  })
  yield* Effect.sleep("5 seconds")
  return { cluster, operator }
})

describe("an address that was granted to two Services", () => {
  it("stays where it is served; the other one gets another address, which had asked for none", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster } = yield* grantTwice()
        assert.deepStrictEqual(carriersOf(cluster, ["node-1", "node-2"]), ["node-1"])
        yield* cluster.startController("controller-b")
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(shownBy(cluster, "old"), [address])
        assert.deepStrictEqual(shownBy(cluster, "new"), ["192.0.2.11"])
        const labels =
          cluster.memory.truth.get(ipAllocations, { name: "new", namespace: "shop" })?.metadata.labels ?? {}
        assert.notProperty(labels, addressLabel(address), "the label left with the entry")
      })
    )
  })

  it("is told to the one that asked for it by name and does not get it", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster } = yield* grantTwice(address)
        yield* cluster.startController("controller-b")
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(shownBy(cluster, "old"), [address])
        assert.deepStrictEqual(shownBy(cluster, "new"), [])
        const condition = conditionOf(cluster, "new")
        assert.strictEqual(condition?.["reason"], "AddressTaken")
        assert.include(String(condition?.["message"]), "shop/old")
      })
    )
  })

  it("is told to the one that keeps it, when the other one does not let go", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, operator } = yield* grantTwice()
        // Renews its lease, and hears of nothing else any more.
        cluster.memory.watches.silence(({ user }) => user === "operator-node-2")
        yield* cluster.api.patch(
          ipAllocations,
          { name: "old", namespace: "shop" },
          { status: { addresses: [] } },
          { subresource: "status" }
        )
        cluster.kernel("node-1").setPermitted(false)
        yield* cluster.startController("controller-b")
        yield* Effect.sleep("10 seconds")
        const condition = conditionOf(cluster, "old")
        assert.strictEqual(condition?.["reason"], "AddressClaimedTwice")
        assert.include(String(condition?.["message"]), "shop/new")
        yield* operator.kill
      })
    )
  })
})

describe("a node that dies with 100 addresses", () => {
  it("is followed within a second of the first, for a few lists of who else claims what", () => {
    virtually(
      Effect.gen(function* () {
        const cluster = yield* TestCluster.make(["node-1", "node-2"])
        yield* cluster.startController("controller-a")
        const first = yield* cluster.startOperator("node-1")
        yield* createPool(cluster, ["192.0.2.0-192.0.2.99"])
        yield* Effect.sleep("5 seconds")
        for (let index = 0; index < 100; index++) yield* createService(cluster, `web-${index}`)
        yield* Effect.sleep("10 seconds")
        yield* cluster.startOperator("node-2")
        yield* Effect.sleep("5 seconds")
        const lists = () => cluster.memory.requests().get("operator-node-2 list ipallocations") ?? 0
        const carried = () =>
          cluster
            .kernel("node-2")
            .state()
            .interfaces.flatMap(({ addresses }) => addresses.filter(({ address: each }) => each.startsWith("192.0.2.")))
            .length
        const [before, had] = [lists(), carried()]
        yield* first.kill
        while (carried() === had) yield* Effect.sleep(10)
        yield* Effect.sleep("1 second")
        assert.strictEqual(carried(), 100)
        assert.isAtMost(lists() - before, 5)
      })
    )
  })
})
