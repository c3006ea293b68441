/** What v0.4 left is adopted; controller and operators run on the memory layers. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { configMaps } from "../../../src/api/ConfigMap.ts"
import { daemonSets } from "../../../src/api/DaemonSet.ts"
import { type IPAllocation, ipAllocations } from "../../../src/api/IPAllocation.ts"
import { daemonSetName, nodeLabel } from "../../../src/api/Names.ts"
import { nodes } from "../../../src/api/Node.ts"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { services } from "../../../src/api/Service.ts"
import { templateConfigMapName, templateKey } from "../../../src/controller/OperatorDaemonSet.ts"
import { Denied } from "../../../src/ports/Kubernetes.ts"
import { monotonicMillis } from "../../../src/reconcile/Monotonic.ts"
import { virtually } from "../virtually.ts"
import * as TestCluster from "./TestCluster.ts"

const nodeNames = ["node-1", "node-2", "node-3"]
const template = { kind: "DaemonSet", metadata: { name: daemonSetName }, spec: {} }

/** So many Services that v0.4 serves, on all nodes in turn, in a cluster with our chart and before our controller. */
const left = Effect.fnUntraced(function* (count: number) {
  const cluster = yield* TestCluster.make(nodeNames)
  yield* cluster.api.create(configMaps, {
    metadata: { name: templateConfigMapName, namespace: TestCluster.ownNamespace },
    data: { [templateKey]: JSON.stringify(template) }
  })
  yield* cluster.api.create(persistentIPPools, {
    metadata: { name: "rack-1" },
    spec: {
      addresses: ["10.1.0.0/16"],
      options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0" } }
    }
  })
  for (let index = 0; index < count; index++) {
    const address = `10.1.1.${index}`
    const nodeName = nodeNames[index % nodeNames.length] ?? ""
    const metadata = { namespace: "shop", name: `web-${index}` }
    yield* cluster.api.create(services, {
      metadata,
      spec: { type: "LoadBalancer", ports: [{ port: 80 }], externalIPs: [address] }
    })
    yield* cluster.api.create(ipAllocations, {
      metadata: { ...metadata, labels: { "app.kubernetes.io/managed-by": "plenuslb" } },
      spec: {
        type: "persistent",
        allocations: [{ address, pool: "rack-1", networkInterface: "pl0", nodeName }]
      }
    })
  }
  return cluster
})

const isFindable = ({ metadata, spec }: IPAllocation): boolean =>
  spec.allocations.every(
    ({ nodeName }) => nodeName !== undefined && metadata.labels?.[nodeLabel(nodeName)] !== undefined
  )

const isDeployed = ({ memory }: TestCluster.TestCluster): boolean =>
  memory.truth.get(daemonSets, { namespace: TestCluster.ownNamespace, name: daemonSetName }) !== undefined

describe("an upgrade from v0.4", () => {
  it("deploys the operators as soon as they can find each of hundreds of IPAllocations, however long that takes", () => {
    virtually(
      Effect.gen(function* () {
        const count = 250
        const delayMillis = 20_000
        const cluster = yield* left(count)
        const deployments: Array<{ readonly findable: number; readonly afterMillis: number }> = []
        let adoptedMillis = 0
        cluster.memory.faults.setPolicy(({ method, plural }) =>
          Effect.map(monotonicMillis, (now) => {
            if (plural === "daemonsets" && method === "create") {
              const findable = [...cluster.memory.truth.list(ipAllocations)].filter(isFindable).length
              deployments.push({ findable, afterMillis: now - adoptedMillis })
            }
            if (plural !== "ipallocations" || method !== "patch") return {}
            adoptedMillis = now + delayMillis
            return { delayMillis }
          })
        )
        const startedMillis = yield* monotonicMillis
        yield* cluster.startController("controller-a")
        yield* Effect.sleep("5 minutes")
        assert.lengthOf(deployments, 1)
        assert.isAbove(adoptedMillis - startedMillis, 60_000, "it takes longer than anybody waits without progress")
        assert.strictEqual(deployments[0]?.findable, count)
        assert.isBelow(deployments[0]?.afterMillis ?? Infinity, 1_000)
        assert.isTrue(isDeployed(cluster))
      })
    )
  })

  it("does not wait for ever for one that cannot be written", () => {
    virtually(
      Effect.gen(function* () {
        const cluster = yield* left(5)
        cluster.memory.faults.setPolicy(({ method, name, plural }) =>
          Effect.succeed(
            plural === "ipallocations" && method === "patch" && name === "web-3"
              ? { refuse: new Denied({ status: 403, message: "a webhook says no" }) }
              : {}
          )
        )
        yield* cluster.startController("controller-a")
        yield* Effect.sleep("30 seconds")
        assert.isFalse(isDeployed(cluster))
        yield* Effect.sleep("1 minute")
        assert.isTrue(isDeployed(cluster))
      })
    )
  })
})

describe("an address that v0.4 put on a node whose new operator never came", () => {
  const web = { namespace: "shop", name: "web-0" }
  const address = "10.1.1.0"

  /** v0.4 had it on node-1; our operators run on the others. */
  const upgraded = Effect.gen(function* () {
    const cluster = yield* left(1)
    yield* cluster.startController("controller-a")
    for (const node of ["node-2", "node-3"]) yield* cluster.startOperator(node)
    yield* Effect.sleep("30 seconds")
    return cluster
  })

  const seen = ({ kernel, memory }: TestCluster.TestCluster) => {
    const allocation = memory.truth.get(ipAllocations, web)
    const conditions = memory.truth.get(services, web)?.status?.conditions ?? []
    return {
      node: allocation?.spec.allocations[0]?.nodeName,
      state: allocation?.status?.state,
      told: conditions.map(({ reason }) => reason),
      carriers: nodeNames.filter((node) =>
        kernel(node)
          .state()
          .interfaces.some(({ addresses }) => addresses.some((held) => held.address === address))
      )
    }
  }

  it("stays there while the Node is NotReady", () => {
    virtually(
      Effect.gen(function* () {
        const cluster = yield* upgraded
        const conditions = [{ type: "Ready", status: "Unknown" }]
        yield* cluster.api.patch(nodes, { name: "node-1" }, { status: { conditions } }, { subresource: "status" })
        yield* Effect.sleep("2 minutes")
        assert.deepStrictEqual(seen(cluster), { node: "node-1", state: "pending", told: [], carriers: [] })
      })
    )
  })

  it("stays there when the Node is deleted, says what to do, and moves when that was done", () => {
    virtually(
      Effect.gen(function* () {
        const cluster = yield* upgraded
        yield* cluster.api.delete(nodes, { name: "node-1" })
        yield* Effect.sleep("2 minutes")
        assert.deepStrictEqual(seen(cluster), {
          node: "node-1",
          state: "node_error",
          told: ["HolderGone"],
          carriers: []
        })
        const message = cluster.memory.truth.get(ipAllocations, web)?.status?.message ?? ""
        for (const word of [address, "node-1", "kubectl delete ipallocation -n shop web-0"])
          assert.include(message, word)

        yield* cluster.api.delete(ipAllocations, web)
        yield* Effect.sleep("10 seconds")
        const { carriers, node, state, told } = seen(cluster)
        assert.deepStrictEqual(
          { state, told, carriers },
          { state: "success", told: ["AddressServed"], carriers: [node] }
        )
        assert.include(["node-2", "node-3"], node)
      })
    )
  })

  it("moves when the Node is said to be out of service, and needs nobody's word", () => {
    virtually(
      Effect.gen(function* () {
        const cluster = yield* upgraded
        const taint = { key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" }
        yield* cluster.api.patch(nodes, { name: "node-1" }, { spec: { taints: [taint] } })
        yield* Effect.sleep("10 seconds")
        const { carriers, node, state } = seen(cluster)
        assert.deepStrictEqual({ state, carriers }, { state: "success", carriers: [node] })
        assert.include(["node-2", "node-3"], node)
      })
    )
  })

  it("says why when it may leave and no other node may hold it, and moves once one may", () => {
    virtually(
      Effect.gen(function* () {
        const cluster = yield* left(1)
        const taint = { key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" }
        yield* cluster.api.patch(nodes, { name: "node-1" }, { spec: { taints: [taint] } })
        yield* cluster.startController("controller-a")
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(seen(cluster), {
          node: "node-1",
          state: "node_error",
          told: ["NoCandidateNode"],
          carriers: []
        })
        yield* cluster.startOperator("node-2")
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(seen(cluster), {
          node: "node-2",
          state: "success",
          told: ["AddressServed"],
          carriers: ["node-2"]
        })
      })
    )
  })
})
