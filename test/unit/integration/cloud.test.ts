/** Addresses of a cloud, from a manifest to a route and back: controllers and operators as they ship, over memory. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Random } from "effect"
import { ephemeralIPPools, type EphemeralIPPoolSpec } from "../../../src/api/EphemeralIPPool.ts"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { persistentIPPools, type PersistentIPPoolSpec } from "../../../src/api/PersistentIPPool.ts"
import { type Service, services } from "../../../src/api/Service.ts"
import type { Purchase } from "../../../src/memory/hetzner/Core.ts"
import { runVirtually } from "../../conformance/kubernetes/VirtualTime.ts"
import * as TestCluster from "./TestCluster.ts"

const threeNodes = ["node-1", "node-2", "node-3"]

const run = <A, E>(program: Effect.Effect<A, E>): A => {
  const exit = runVirtually(Random.withSeed(program, "cloud"))
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.squash(exit.cause)
}

const onBridge = {
  hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0", mode: "auto" }
} as const
const hetzner = { hetzner: { token: TestCluster.cloudToken } }

const createEphemeral = (cluster: TestCluster.TestCluster, name = "cloud", spec: Partial<EphemeralIPPoolSpec> = {}) =>
  cluster.api.create(ephemeralIPPools, {
    apiVersion: "loadbalancing.plenus.io/v1alpha1",
    kind: "EphemeralIPPool",
    metadata: { name },
    spec: { cloudIntegration: hetzner, options: onBridge, ...spec }
  })

const createPersistent = (
  cluster: TestCluster.TestCluster,
  addresses: ReadonlyArray<string>,
  spec: Partial<PersistentIPPoolSpec> = {}
) =>
  cluster.api.create(persistentIPPools, {
    apiVersion: "loadbalancing.plenus.io/v1alpha1",
    kind: "PersistentIPPool",
    metadata: { name: "mine" },
    spec: { addresses, cloudIntegration: hetzner, options: onBridge, ...spec }
  })

const createService = (cluster: TestCluster.TestCluster, name: string, spec: Partial<Service["spec"]> = {}) =>
  cluster.api.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "shop" },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }], ...spec }
  })

const deleteService = (cluster: TestCluster.TestCluster, name: string) =>
  cluster.api.delete(services, { namespace: "shop", name })

const shown = (cluster: TestCluster.TestCluster, name: string): ReadonlyArray<string | undefined> =>
  (cluster.memory.truth.get(services, { namespace: "shop", name })?.status?.loadBalancer?.ingress ?? []).map(
    ({ ip }) => ip
  )

const allocation = (cluster: TestCluster.TestCluster, name: string) =>
  cluster.memory.truth.get(ipAllocations, { namespace: "shop", name })

const floatingIps = (cluster: TestCluster.TestCluster) => cluster.project.truth.floatingIps()

/** Name of the server to which the address is routed. */
const routedTo = (cluster: TestCluster.TestCluster, ip: string): string | undefined => {
  const found = floatingIps(cluster).find((each) => each.ip === ip)
  return cluster.project.truth.servers().find(({ id }) => id === found?.server)?.name
}

const holderOf = (cluster: TestCluster.TestCluster, name: string) =>
  allocation(cluster, name)?.spec.allocations.map(({ nodeName }) => nodeName)

const start = Effect.fnUntraced(function* () {
  const cluster = yield* TestCluster.make(threeNodes)
  const controller = yield* cluster.startController("controller-a")
  const operators = yield* Effect.forEach(threeNodes, (node) => cluster.startOperator(node))
  yield* Effect.sleep("5 seconds")
  return { cluster, controller, operators }
})

const ipsOf = (purchases: ReadonlyArray<Purchase>) => purchases.length

describe("an EphemeralIPPool", () => {
  it("buys an address, routes it to its holder, and only then shows it; and gives it back with the Service", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createEphemeral(cluster)
        yield* Effect.sleep("5 seconds")
        yield* createService(cluster, "web")
        yield* Effect.sleep("20 seconds")
        const [bought] = floatingIps(cluster)
        assert.deepStrictEqual(shown(cluster, "web"), [bought?.ip])
        assert.deepStrictEqual(holderOf(cluster, "web"), [routedTo(cluster, bought?.ip ?? "")])
        assert.strictEqual(allocation(cluster, "web")?.status?.state, "success")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("20 seconds")
        assert.isUndefined(allocation(cluster, "web"))
        assert.deepStrictEqual(floatingIps(cluster), [])
        assert.strictEqual(ipsOf(cluster.project.truth.purchases()), 1)
      })
    )
  })
})

describe("a PersistentIPPool of a cloud", () => {
  it("routes the user's own address to its holder, and unassigns it with the Service, deleting nothing", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        const { ip } = cluster.project.console.addFloatingIp({ type: "ipv4", name: "mine", labels: { team: "web" } })
        yield* createPersistent(cluster, [ip])
        yield* createService(cluster, "web", { externalIPs: [ip] })
        yield* Effect.sleep("20 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), [ip])
        assert.deepStrictEqual(holderOf(cluster, "web"), [routedTo(cluster, ip)])
        assert.strictEqual(floatingIps(cluster)[0]?.labels["team"], "web")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("20 seconds")
        assert.isUndefined(allocation(cluster, "web"))
        assert.deepStrictEqual(
          floatingIps(cluster).map(({ labels, server }) => ({ labels, server })),
          [{ labels: { team: "web" }, server: null }]
        )
      })
    )
  })

  it("serves what was bought right before the pool was edited, although the project had been read a moment ago", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        const buy = () => cluster.project.console.addFloatingIp({ type: "ipv4" }).ip
        const first = buy()
        const pool = yield* createPersistent(cluster, [first])
        yield* Effect.sleep("5 seconds")
        const second = buy()
        const patch = { spec: { addresses: [first, second] } }
        yield* cluster.api.patch(persistentIPPools, { name: "mine" }, patch)
        yield* createService(cluster, "web", { externalIPs: [second] })
        yield* Effect.sleep("15 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), [second], pool.metadata.name)
      })
    )
  })
})
