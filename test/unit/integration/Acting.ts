/** What the stories of a cluster in memory have in common: its users, and what one sees of it. */
import { Cause, Effect, Exit, Random } from "effect"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { persistentIPPools, type PersistentIPPoolSpec } from "../../../src/api/PersistentIPPool.ts"
import { services } from "../../../src/api/Service.ts"
import { runVirtually } from "../../conformance/kubernetes/VirtualTime.ts"
import * as TestCluster from "./TestCluster.ts"

export const threeNodes = ["node-1", "node-2", "node-3"]

/** Runs to the end or throws what it failed with; the same in every run. */
export const run = <A, E>(program: Effect.Effect<A, E>): A => {
  const exit = runVirtually(Random.withSeed(program, "integration"))
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.squash(exit.cause)
}

export const createPool = (cluster: TestCluster.TestCluster, name: string, spec: Partial<PersistentIPPoolSpec> = {}) =>
  cluster.api.create(persistentIPPools, {
    apiVersion: "loadbalancing.plenus.io/v1alpha1",
    kind: "PersistentIPPool",
    metadata: { name },
    spec: {
      addresses: ["192.0.2.10-192.0.2.12"],
      autoAssign: true,
      options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0", mode: "auto" } },
      ...spec
    }
  })

export const createService = (cluster: TestCluster.TestCluster, name: string, addresses: ReadonlyArray<string> = []) =>
  cluster.api.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "shop" },
    spec: {
      type: "LoadBalancer",
      ports: [{ port: 80 }],
      ...(addresses.length === 0 ? {} : { externalIPs: addresses })
    }
  })

export const shown = (cluster: TestCluster.TestCluster, name: string): ReadonlyArray<string | undefined> =>
  (cluster.memory.truth.get(services, { namespace: "shop", name })?.status?.loadBalancer?.ingress ?? []).map(
    ({ ip }) => ip
  )

export const allocation = (cluster: TestCluster.TestCluster, name: string) =>
  cluster.memory.truth.get(ipAllocations, { namespace: "shop", name })

/** Nodes whose kernel carries the address: ground truth. */
export const carriers = (cluster: TestCluster.TestCluster, address: string): ReadonlyArray<string> =>
  threeNodes.filter((node) =>
    cluster
      .kernel(node)
      .state()
      .interfaces.some((each) => each.addresses.some((held) => held.address === address))
  )

export const start = Effect.fnUntraced(function* () {
  const cluster = yield* TestCluster.make(threeNodes)
  const controller = yield* cluster.startController("controller-a")
  const operators = yield* Effect.forEach(threeNodes, (node) => cluster.startOperator(node))
  yield* Effect.sleep("5 seconds")
  return { cluster, controller, operators }
})

/** With a pool `rack-1` and its Service `shop/web`, which is served. */
export const startServed = Effect.gen(function* () {
  const { cluster } = yield* start()
  yield* createPool(cluster, "rack-1")
  yield* createService(cluster, "web")
  yield* Effect.sleep("10 seconds")
  return cluster
})
