/** What the tests of a cloud have in common: pools and Services of it, and what the provider and the API then have. */
import { assert } from "@effect/vitest"
import { Cause, Effect, Exit, Random } from "effect"
import { ephemeralIPPools, type EphemeralIPPoolSpec } from "../../../src/api/EphemeralIPPool.ts"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { nodes } from "../../../src/api/Node.ts"
import { persistentIPPools, type PersistentIPPoolSpec } from "../../../src/api/PersistentIPPool.ts"
import { type Service, services } from "../../../src/api/Service.ts"
import { runVirtually } from "../../conformance/kubernetes/VirtualTime.ts"
import * as TestCluster from "./TestCluster.ts"

export const threeNodes = ["node-1", "node-2", "node-3"]

export const run = <A, E>(program: Effect.Effect<A, E>): A => {
  const exit = runVirtually(Random.withSeed(program, "cloud"))
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.squash(exit.cause)
}

export const onBridge = {
  hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0", mode: "auto" }
} as const
export const hetzner = { hetzner: { token: TestCluster.cloudToken } }

export const createEphemeral = (
  cluster: TestCluster.TestCluster,
  name = "cloud",
  spec: Partial<EphemeralIPPoolSpec> = {}
) =>
  cluster.api.create(ephemeralIPPools, {
    apiVersion: "loadbalancing.plenus.io/v1alpha1",
    kind: "EphemeralIPPool",
    metadata: { name },
    spec: { cloudIntegration: hetzner, options: onBridge, ...spec }
  })

export const createPersistent = (
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

export const createService = (cluster: TestCluster.TestCluster, name: string, spec: Partial<Service["spec"]> = {}) =>
  cluster.api.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "shop" },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }], ...spec }
  })

export const deleteService = (cluster: TestCluster.TestCluster, name: string) =>
  cluster.api.delete(services, { namespace: "shop", name })

export const shown = (cluster: TestCluster.TestCluster, name: string): ReadonlyArray<string | undefined> =>
  (cluster.memory.truth.get(services, { namespace: "shop", name })?.status?.loadBalancer?.ingress ?? []).map(
    ({ ip }) => ip
  )

export const allocation = (cluster: TestCluster.TestCluster, name: string) =>
  cluster.memory.truth.get(ipAllocations, { namespace: "shop", name })

export const floatingIps = (cluster: TestCluster.TestCluster) => cluster.project.truth.floatingIps()

/** Name of the server to which the address is routed. */
export const routedTo = (cluster: TestCluster.TestCluster, ip: string): string | undefined => {
  const found = floatingIps(cluster).find((each) => each.ip === ip)
  return cluster.project.truth.servers().find(({ id }) => id === found?.server)?.name
}

export const holderOf = (cluster: TestCluster.TestCluster, name: string) =>
  allocation(cluster, name)?.spec.allocations.map(({ nodeName }) => nodeName)

export const start = Effect.fnUntraced(function* (options: TestCluster.ClusterOptions = {}) {
  const cluster = yield* TestCluster.make(threeNodes, options)
  const controller = yield* cluster.startController("controller-a")
  const operators = yield* Effect.forEach(threeNodes, (node) => cluster.startOperator(node))
  yield* Effect.sleep("5 seconds")
  return { cluster, controller, operators }
})

export const conditionOf = (cluster: TestCluster.TestCluster, type: string) =>
  cluster.memory.truth
    .get(ephemeralIPPools, { name: "cloud" })
    ?.status?.conditions?.find((condition) => condition.type === type)

export const messageOf = (cluster: TestCluster.TestCluster, name: string) =>
  allocation(cluster, name)?.status?.message ?? ""

export const labelsOf = (cluster: TestCluster.TestCluster, ip: string) =>
  floatingIps(cluster).find((each) => each.ip === ip)?.labels ?? {}

export const editService = (
  cluster: TestCluster.TestCluster,
  name: string,
  patch: { readonly [field: string]: unknown }
) => cluster.api.patch(services, { namespace: "shop", name }, patch)

/** With a pool that buys, and one Service that it bought for. */
export const startServed = Effect.fnUntraced(function* (
  spec: Partial<EphemeralIPPoolSpec> = {},
  options: TestCluster.ClusterOptions = {}
) {
  const running = yield* start(options)
  const { cluster } = running
  yield* createEphemeral(cluster, "cloud", spec)
  yield* Effect.sleep("5 seconds")
  yield* createService(cluster, "web")
  yield* Effect.sleep("20 seconds")
  const [ip = ""] = shown(cluster, "web")
  assert.isNotEmpty(ip)
  return { ...running, ip }
})

/** With a pool of a floating IP that is the user's own, and one Service that asks for it. */
export const startOwnServed = Effect.fnUntraced(function* (labels: { readonly [key: string]: string } = {}) {
  const running = yield* start()
  const { cluster } = running
  const { ip } = cluster.project.console.addFloatingIp({ type: "ipv4", name: "mine", labels })
  yield* createPersistent(cluster, [ip])
  yield* createService(cluster, "web", { externalIPs: [ip] })
  yield* Effect.sleep("20 seconds")
  assert.deepStrictEqual(shown(cluster, "web"), [ip])
  return { ...running, ip }
})

/** As a cloud-controller-manager writes them. */
export const sayServerIds = (cluster: TestCluster.TestCluster) =>
  Effect.forEach(cluster.project.truth.servers(), ({ id, name }) =>
    cluster.api.patch(nodes, { name }, { spec: { providerID: `hcloud://${id}` } })
  )

export const isAssign = ({ route }: { readonly route: string }) => route === "POST /floating_ips/{id}/actions/assign"

export const isPurchase = ({ route }: { readonly route: string }) => route === "POST /floating_ips"

export const secret = (token: string) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "hcloud", namespace: TestCluster.ownNamespace },
  stringData: { token }
})
