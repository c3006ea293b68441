/** What of the cluster around a Service decides about its address: its endpoints, the cluster's own networks, operators. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Random } from "effect"
import { daemonSets } from "../../../src/api/DaemonSet.ts"
import { endpointSlices } from "../../../src/api/EndpointSlice.ts"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { pods } from "../../../src/api/Pod.ts"
import { services } from "../../../src/api/Service.ts"
import { serviceCIDRs } from "../../../src/api/ServiceCIDR.ts"
import { NotFound, Unavailable } from "../../../src/ports/Kubernetes.ts"
import { runVirtually } from "../../conformance/kubernetes/VirtualTime.ts"
import * as TestCluster from "./TestCluster.ts"

const nodeNames = ["node-1", "node-2", "node-3"]

const run = <A, E>(program: Effect.Effect<A, E>): A => {
  const exit = runVirtually(Random.withSeed(program, "surroundings"))
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.squash(exit.cause)
}

const start = Effect.fnUntraced(function* (address: string, externalTrafficPolicy: "Local" | "Cluster") {
  const cluster = yield* TestCluster.make(nodeNames)
  const first = yield* cluster.startController("controller-a")
  yield* Effect.forEach(nodeNames, (node) => cluster.startOperator(node))
  yield* cluster.api.create(persistentIPPools, {
    apiVersion: "loadbalancing.plenus.io/v1alpha1",
    kind: "PersistentIPPool",
    metadata: { name: "rack-1" },
    spec: {
      addresses: [address],
      options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0", mode: "auto" } }
    }
  })
  yield* cluster.api.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "shop" },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }], externalIPs: [address], externalTrafficPolicy }
  })
  return { ...cluster, first }
})

const slice = (nodeName: string, resourceVersion?: string) => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: {
    name: "web-1",
    namespace: "shop",
    labels: { "kubernetes.io/service-name": "web" },
    ...(resourceVersion === undefined ? {} : { resourceVersion })
  },
  addressType: "IPv4",
  endpoints: [{ addresses: ["10.244.2.7"], nodeName }]
})

const allocationOf = (cluster: TestCluster.TestCluster) =>
  cluster.memory.truth.get(ipAllocations, { namespace: "shop", name: "web" })

const asking = (name: string, address: string) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "shop" },
  spec: { type: "LoadBalancer", ports: [{ port: 80 }], externalIPs: [address] }
})

const holderOf = (cluster: TestCluster.TestCluster) => allocationOf(cluster)?.spec.allocations[0]?.nodeName

const shownBy = (cluster: TestCluster.TestCluster) => {
  const { status } = cluster.memory.truth.get(services, { namespace: "shop", name: "web" }) ?? {}
  return (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip)
}

describe("a Service with externalTrafficPolicy Local", () => {
  it("is held where its ready endpoint is, and moves with it", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* start("192.0.2.10", "Local")
        const { metadata } = yield* cluster.api.create(endpointSlices, slice("node-2"))
        yield* Effect.sleep("20 seconds")
        assert.strictEqual(holderOf(cluster), "node-2")
        const moved = slice("node-3", metadata.resourceVersion)
        yield* cluster.api.replace(endpointSlices, { ...moved, metadata: { ...moved.metadata, uid: metadata.uid } })
        yield* Effect.sleep("5 seconds")
        assert.strictEqual(holderOf(cluster), "node-3")
        assert.strictEqual(allocationOf(cluster)?.status?.state, "success")
      })
    )
  })
})

describe("an address of the Service network", () => {
  it("is not granted, and the Service says whose it is", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* start("10.96.7.7", "Cluster")
        yield* Effect.sleep("10 seconds")
        assert.strictEqual(allocationOf(cluster)?.status?.state, "success")
        yield* cluster.api.delete(services, { namespace: "shop", name: "web" })
        yield* cluster.api.create(serviceCIDRs, {
          apiVersion: "networking.k8s.io/v1",
          kind: "ServiceCIDR",
          metadata: { name: "kubernetes" },
          spec: { cidrs: ["10.96.0.0/16"] }
        })
        yield* Effect.sleep("5 seconds")
        yield* cluster.api.create(services, asking("web", "10.96.7.7"))
        yield* Effect.sleep("10 seconds")
        assert.strictEqual(allocationOf(cluster)?.status?.state, "pending")
        assert.include(allocationOf(cluster)?.status?.message, "the Service network")
      })
    )
  })
})

/** `controller-b` has not heard of a Service, or IPAllocation, that was made anew; `first` leads, and knows. */
const startDeafTo = Effect.fnUntraced(function* (kind: "services" | "ipallocations") {
  const cluster = yield* start("192.0.2.10", "Cluster")
  yield* cluster.startController("controller-b")
  yield* Effect.sleep("5 seconds")
  yield* cluster.api.delete(services, { namespace: "shop", name: "web" })
  yield* Effect.sleep("5 seconds")
  assert.isUndefined(allocationOf(cluster))
  cluster.memory.watches.silence(({ plural, user }) => plural === kind && user === "controller-b")
  yield* cluster.api.create(services, asking("web", "192.0.2.10"))
  yield* Effect.sleep("5 seconds")
  assert.isDefined(allocationOf(cluster))
  return cluster
})

describe("a leader whose watch of IPAllocations died in silence", () => {
  it("grants nothing that its predecessor has granted meanwhile (seed 214 of the simulation)", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startDeafTo("ipallocations")
        // Its Service is gone, and the node that holds the address cannot hear of it.
        cluster.cutOff(`operator-${holderOf(cluster)}`)
        yield* cluster.api.delete(services, { namespace: "shop", name: "web" })
        yield* Effect.sleep("1 second")
        yield* cluster.first.kill
        yield* cluster.api.create(services, asking("other", "192.0.2.10"))
        const claims = (name: string) =>
          cluster.memory.truth.get(ipAllocations, { namespace: "shop", name })?.spec.allocations.length ?? 0
        const seen: Array<string> = []
        for (let look = 0; look < 300; look++) {
          yield* Effect.sleep("100 millis")
          seen.push(`web ${claims("web")}, other ${claims("other")}`)
        }
        assert.notInclude(seen, "web 1, other 1")
        assert.strictEqual(seen.at(-1), "web 0, other 1")
      })
    )
  })
})

describe("a leader whose watch of Services died in silence", () => {
  it("takes no address from a Service that it has not seen yet (seed 108 of the simulation)", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startDeafTo("services")
        const uid = allocationOf(cluster)?.metadata.uid
        assert.isDefined(uid)
        yield* cluster.first.kill
        yield* Effect.sleep("20 seconds")
        assert.strictEqual(allocationOf(cluster)?.metadata.uid, uid)
        assert.isUndefined(allocationOf(cluster)?.metadata.deletionTimestamp)
        assert.strictEqual(allocationOf(cluster)?.status?.state, "success")
      })
    )
  })

  it("lets no address go of which it has not seen that the Service shows it (seed 2180 of the simulation)", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* start("192.0.2.10", "Cluster")
        yield* cluster.startController("controller-b")
        const edit = (spec: object) => cluster.api.patch(persistentIPPools, { name: "rack-1" }, { spec })
        yield* cluster.api.delete(services, { namespace: "shop", name: "web" })
        yield* edit({ allowedNamespaces: ["lab"], autoAssign: true })
        yield* cluster.api.create(services, {
          ...asking("web", ""),
          spec: { type: "LoadBalancer", ports: [{ port: 80 }] }
        })
        yield* Effect.sleep("5 seconds")
        assert.isEmpty(shownBy(cluster))
        cluster.memory.watches.silence(({ plural, user }) => plural === "services" && user === "controller-b")
        yield* edit({ allowedNamespaces: null })
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(shownBy(cluster), ["192.0.2.10"])
        yield* cluster.first.kill
        yield* edit({ addresses: ["192.0.2.11"] })
        const shownAndNotHeld = new Set<string | undefined>()
        cluster.memory.truth.subscribe(() => {
          const entries = allocationOf(cluster)?.spec.allocations ?? []
          const held = entries.filter(({ nodeName }) => nodeName !== undefined).map(({ address }) => address)
          for (const address of shownBy(cluster)) if (!held.includes(address ?? "")) shownAndNotHeld.add(address)
        })
        yield* Effect.sleep("20 seconds")
        assert.deepStrictEqual(shownBy(cluster), ["192.0.2.11"])
        assert.deepStrictEqual([...shownAndNotHeld], [])
      })
    )
  })
})

describe("a kind of ours that is not served for a while", () => {
  it("is not taken for an IPAllocation that is gone (seed 260 of the simulation)", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* start("192.0.2.10", "Cluster")
        yield* Effect.sleep("10 seconds")
        assert.lengthOf(shownBy(cluster), 1)
        const missing = { refuse: new NotFound({ kindMissing: true }) }
        cluster.memory.faults.setPolicy(({ plural }) => Effect.succeed(plural === "ipallocations" ? missing : {}))
        const emptied = { status: { loadBalancer: { ingress: null } } }
        yield* cluster.api.patch(services, { namespace: "shop", name: "web" }, emptied, { subresource: "status" })
        yield* Effect.sleep("5 seconds")
        assert.lengthOf(shownBy(cluster), 0)
        cluster.memory.faults.setPolicy(() => Effect.succeed({}))
        yield* Effect.sleep("30 seconds")
        assert.lengthOf(shownBy(cluster), 1)
      })
    )
  })
})

describe("a controller whose API server refuses everything", () => {
  it("asks for the leases of nodes a few times a second, not as fast as it is refused", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* start("192.0.2.10", "Cluster")
        yield* Effect.sleep("5 seconds")
        const asked = () => cluster.memory.requests().get("controller-a list leases") ?? 0
        const before = asked()
        const refuse = new Unavailable({ message: "connection refused" })
        cluster.memory.faults.setPolicy(({ user }) => Effect.succeed(user === "controller-a" ? { refuse } : {}))
        cluster.memory.watches.reset(({ user }) => user === "controller-a")
        yield* Effect.sleep("10 seconds")
        assert.isAbove(asked() - before, 10)
        assert.isBelow(asked() - before, 100)
      })
    )
  })
})

const operatorDaemonSet = { namespace: TestCluster.ownNamespace, name: "plenuslb-operator" }
const labels = { "app.kubernetes.io/instance": "plenuslb-operator", "app.kubernetes.io/name": "plenuslb-operator" }

const startWithDaemonSet = Effect.gen(function* () {
  const cluster = yield* start("192.0.2.10", "Cluster")
  yield* cluster.api.create(daemonSets, { metadata: operatorDaemonSet, spec: { selector: { matchLabels: labels } } })
  return cluster
})

const degradedOf = (cluster: TestCluster.TestCluster) =>
  cluster.memory.truth
    .get(persistentIPPools, { name: "rack-1" })
    ?.status?.conditions?.find(({ type }) => type === "Degraded")

describe("an operator that ends again and again", () => {
  it("is told of on the pool that adds addresses to an interface, with its node and its last words, until it runs", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startWithDaemonSet
        const counts = (numberReady: number) =>
          cluster.api.patch(
            daemonSets,
            operatorDaemonSet,
            { status: { desiredNumberScheduled: 3, currentNumberScheduled: 3, numberReady } },
            { subresource: "status" }
          )
        const name = { namespace: TestCluster.ownNamespace, name: "plenuslb-operator-a" }
        yield* cluster.api.create(pods, { metadata: { ...name, labels }, spec: { nodeName: "node-2" } })
        const message = '{"message":"Cannot serve health checks.","level":"FATAL"}'
        const container = { ready: false, lastState: { terminated: { exitCode: 1, message } } }
        yield* cluster.api.patch(pods, name, { status: { containerStatuses: [container] } }, { subresource: "status" })
        yield* counts(2)
        yield* Effect.sleep("10 seconds")
        assert.strictEqual(degradedOf(cluster)?.status, "False")
        yield* Effect.sleep("10 seconds")
        assert.strictEqual(degradedOf(cluster)?.reason, "OperatorsNotRunning")
        assert.include(degradedOf(cluster)?.message, "On node-2 the operator ended: Cannot serve health checks.")
        yield* counts(3)
        yield* Effect.sleep("5 seconds")
        assert.strictEqual(degradedOf(cluster)?.status, "False")
      })
    )
  })
})

describe("operators that are rolled out", () => {
  it("are looked at every few seconds, and not with each that starts: each look reads them all", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startWithDaemonSet
        const count = 300
        for (let numberReady = 0; numberReady < count; numberReady++) {
          const status = { desiredNumberScheduled: count, currentNumberScheduled: count, numberReady }
          yield* cluster.api.patch(daemonSets, operatorDaemonSet, { status }, { subresource: "status" })
          yield* Effect.sleep("100 millis")
        }
        const looks = cluster.memory.requests().get("controller-a list pods") ?? 0
        assert.isAtLeast(looks, 5)
        assert.isAtMost(looks, 11)
      })
    )
  })
})
