/** Two IPAllocations that claim one address, as two leaders may leave them: no node serves it before one of them is gone. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { configMaps } from "../../../src/api/ConfigMap.ts"
import { type AddressStatus, type Allocation, ipAllocations } from "../../../src/api/IPAllocation.ts"
import { leases } from "../../../src/api/Lease.ts"
import {
  addressLabel,
  nodeConfigMapName,
  nodeLabel,
  nodeLeaseAnnotations,
  nodeLeaseName
} from "../../../src/api/Names.ts"
import { Unavailable } from "../../../src/ports/Kubernetes.ts"
import * as TestCluster from "../integration/TestCluster.ts"
import { virtually } from "../virtually.ts"

const address = TestCluster.address("192.0.2.10")

/** Nodes without a controller: what they are asked to hold, the test writes. */
const start = Effect.gen(function* () {
  const cluster = yield* TestCluster.make(["node-1", "node-2"])
  const { api, memory } = cluster
  const network = { pool: "rack-1", interfaceName: "pl0", mode: "auto", uplinks: [], startupCleaning: "all" }
  yield* api.create(configMaps, {
    metadata: { name: nodeConfigMapName, namespace: TestCluster.ownNamespace },
    data: { "config.json": JSON.stringify({ pools: [network] }) }
  })
  yield* cluster.startOperator("node-1")
  yield* cluster.startOperator("node-2")
  yield* Effect.sleep("2 seconds")
  const holdIdOf = (node: string) => {
    const ref = { name: nodeLeaseName(node), namespace: TestCluster.ownNamespace }
    return memory.truth.get(leases, ref)?.metadata.annotations?.[nodeLeaseAnnotations.holdId] ?? ""
  }
  const entryOf = (node: string, epoch = 1): Allocation => ({
    address,
    pool: "rack-1",
    nodeName: node,
    networkInterface: "pl0",
    holdId: holdIdOf(node),
    epoch
  })
  const grant = (name: string, node: string, more: Partial<Allocation> = {}) =>
    api.create(ipAllocations, {
      metadata: { name, namespace: "shop", labels: { [nodeLabel(node)]: "", [addressLabel(address)]: "" } },
      spec: { type: "persistent", allocations: [{ ...entryOf(node), ...more }] }
    })
  const holders = () =>
    ["node-1", "node-2"].filter((node) =>
      cluster
        .kernel(node)
        .state()
        .interfaces.some(({ addresses }) => addresses.some((each) => each.address === address))
    )
  const saidOf = (name: string): ReadonlyArray<AddressStatus> =>
    memory.truth.get(ipAllocations, { name, namespace: "shop" })?.status?.addresses ?? []
  const lists = () => memory.requests().get("operator-node-1 list ipallocations") ?? 0
  return { cluster, entryOf, grant, holders, lists, saidOf }
})

describe("an address that two IPAllocations claim", () => {
  it("stays with the node that asked before the second one claimed it", () => {
    virtually(
      Effect.gen(function* () {
        const { grant, holders, saidOf } = yield* start
        yield* grant("web", "node-1")
        yield* Effect.sleep("1 second")
        yield* grant("api", "node-2")
        yield* Effect.sleep("1 minute")
        assert.deepStrictEqual(holders(), ["node-1"])
        assert.deepStrictEqual(saidOf("api"), [])
      })
    )
  })

  it("is served by nobody when both claims were there before either node asked, and at once when one is gone", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, grant, holders, lists, saidOf } = yield* start
        yield* grant("web", "node-1")
        yield* grant("api", "node-2")
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(holders(), [])
        assert.deepStrictEqual([...saidOf("web"), ...saidOf("api")], [])
        const before = lists()
        yield* Effect.sleep("10 seconds")
        assert.isAtMost(lists() - before, 11, "asked again each second")
        yield* cluster.api.delete(ipAllocations, { name: "api", namespace: "shop" })
        yield* Effect.sleep("1100 millis")
        assert.deepStrictEqual(holders(), ["node-1"])
        assert.strictEqual(saidOf("web")[0]?.phase, "Serving")
      })
    )
  })

  it("is let go of for the one that is withdrawn, though it lies on the same node for the other", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, entryOf, grant, holders, saidOf } = yield* start
        yield* grant("web", "node-1")
        yield* Effect.sleep("1 second")
        yield* grant("api", "node-1")
        yield* Effect.sleep("1 second")
        assert.deepStrictEqual(saidOf("api"), [])
        const { nodeName: node, holdId, epoch } = entryOf("node-1")
        const left = { address, pool: "rack-1", networkInterface: "pl0", previous: [{ node, holdId, epoch }] }
        yield* cluster.api.patch(ipAllocations, { name: "api", namespace: "shop" }, { spec: { allocations: [left] } })
        yield* Effect.sleep("1 second")
        assert.deepStrictEqual(
          [...saidOf("web"), ...saidOf("api")].map(({ phase }) => phase),
          ["Serving", "Released"]
        )
        assert.deepStrictEqual(holders(), ["node-1"])
      })
    )
  })
})

describe("who else claims an address", () => {
  it("is asked once; the operator after the one that has said that it serves asks no more", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, grant, holders } = yield* start
        const lists = (user: string) => cluster.memory.requests().get(`${user} list ipallocations`) ?? 0
        const before = lists("operator-node-1")
        yield* grant("web", "node-1")
        yield* Effect.sleep("1 second")
        assert.strictEqual(lists("operator-node-1") - before, 1)
        yield* cluster.startOperator("node-1", "next")
        yield* Effect.sleep("1 minute")
        assert.deepStrictEqual(holders(), ["node-1"])
        assert.strictEqual(lists("next"), before, "what it begins with")
      })
    )
  })
})

describe("a claim that cannot be asked about", () => {
  it("is served at once when a holder before has served it: that one has asked", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, grant, holders } = yield* start
        cluster.memory.faults.setPolicy(({ method }) =>
          Effect.succeed(method === "list" ? { refuse: new Unavailable({ message: "etcd has no leader" }) } : {})
        )
        yield* grant("web", "node-1", { served: true, epoch: 2 })
        yield* Effect.sleep("1 second")
        assert.deepStrictEqual(holders(), ["node-1"])
      })
    )
  })

  it("is not served before the API has answered", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, grant, holders } = yield* start
        cluster.memory.faults.setPolicy(({ method }) =>
          Effect.succeed(method === "list" ? { refuse: new Unavailable({ message: "etcd has no leader" }) } : {})
        )
        yield* grant("web", "node-1")
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(holders(), [])
        cluster.memory.faults.setPolicy(() => Effect.succeed({}))
        yield* Effect.sleep("1100 millis")
        assert.deepStrictEqual(holders(), ["node-1"])
      })
    )
  })

  it("is taken off where it must go although an answer is missing", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, entryOf, grant, holders } = yield* start
        yield* grant("web", "node-1")
        yield* Effect.sleep("1 second")
        cluster.memory.faults.setPolicy(({ method }) =>
          Effect.succeed(method === "list" ? { delayMillis: 20_000 } : {})
        )
        const other = TestCluster.address("192.0.2.11")
        yield* cluster.api.create(ipAllocations, {
          metadata: {
            name: "api",
            namespace: "shop",
            labels: { [nodeLabel("node-1")]: "", [addressLabel(other)]: "" }
          },
          spec: { type: "persistent", allocations: [{ ...entryOf("node-1"), address: other }] }
        })
        yield* Effect.sleep(10)
        yield* cluster.api.delete(ipAllocations, { name: "web", namespace: "shop" })
        yield* Effect.sleep(500)
        assert.deepStrictEqual(holders(), [])
      })
    )
  })

  it("is not served without its label: nobody else would see it", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, grant, holders } = yield* start
        const { metadata, spec } = yield* grant("web", "node-2")
        yield* cluster.api.delete(ipAllocations, { name: "web", namespace: "shop" })
        yield* Effect.sleep("1 second")
        const labels = { [nodeLabel("node-2")]: "" }
        yield* cluster.api.create(ipAllocations, {
          metadata: { name: metadata.name, namespace: "shop", labels },
          spec
        })
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(holders(), [])
        yield* cluster.api.patch(
          ipAllocations,
          { name: "web", namespace: "shop" },
          { metadata: { labels: { [addressLabel(address)]: "" } } }
        )
        yield* Effect.sleep("1100 millis")
        assert.deepStrictEqual(holders(), ["node-2"])
      })
    )
  })
})
