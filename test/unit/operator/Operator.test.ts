import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { configMaps } from "../../../src/api/ConfigMap.ts"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { leases } from "../../../src/api/Lease.ts"
import {
  addressLabel,
  nodeConfigMapName,
  nodeLabel,
  nodeLeaseAnnotations,
  nodeLeaseName
} from "../../../src/api/Names.ts"
import type { Address } from "../../../src/domain/Address.ts"
import type { ApiRequest } from "../../../src/memory/kubernetes/Faults.ts"
import { FenceRefused } from "../../../src/ports/KernelFence.ts"
import { Unavailable } from "../../../src/ports/Kubernetes.ts"
import * as TestCluster from "../integration/TestCluster.ts"
import { NodeNetworkError, NotPermitted } from "../../../src/ports/NodeNetwork.ts"
import { virtually } from "../virtually.ts"

const [served, other] = [TestCluster.address("192.0.2.10"), TestCluster.address("192.0.2.11")]
const leaseRef = { name: nodeLeaseName("node-1"), namespace: TestCluster.ownNamespace }

const isOwn = ({ plural, user }: ApiRequest) => plural === "leases" && user === "operator-node-1"

/** One node without a controller: what it is asked to hold, the test writes. */
const start = Effect.gen(function* () {
  const cluster = yield* TestCluster.make(["node-1"])
  const { api, memory } = cluster
  const network = { pool: "rack-1", interfaceName: "pl0", mode: "auto", uplinks: [], startupCleaning: "all" }
  yield* api.create(configMaps, {
    metadata: { name: nodeConfigMapName, namespace: TestCluster.ownNamespace },
    data: { "config.json": JSON.stringify({ pools: [network] }) }
  })
  const operator = yield* cluster.startOperator("node-1")
  yield* Effect.sleep("2 seconds")
  const holdId = memory.truth.get(leases, leaseRef)?.metadata.annotations?.[nodeLeaseAnnotations.holdId] ?? ""
  const entry = { address: served, pool: "rack-1", nodeName: "node-1", networkInterface: "pl0", holdId, epoch: 1 }
  yield* api.create(ipAllocations, {
    metadata: { name: "web", namespace: "shop", labels: { [nodeLabel("node-1")]: "", [addressLabel(served)]: "" } },
    spec: { type: "persistent", allocations: [entry] }
  })
  yield* Effect.sleep("1 second")
  const carries = (wanted: Address = served) =>
    cluster
      .kernel("node-1")
      .state()
      .interfaces.some(({ addresses }) => addresses.some(({ address }) => address === wanted))
  const reported = () => memory.truth.get(ipAllocations, { name: "web", namespace: "shop" })?.status?.addresses ?? []
  const idNow = () => memory.truth.get(leases, leaseRef)?.metadata.annotations?.[nodeLeaseAnnotations.holdId]
  return { cluster, operator, carries, reported, holdId, idNow }
})

describe("Operator", () => {
  it("holds what names it, announces it, and reports it once", () => {
    virtually(
      Effect.gen(function* () {
        const { carries, cluster, holdId, reported } = yield* start
        assert.isTrue(carries())
        assert.deepInclude(reported()[0], {
          address: served,
          node: "node-1",
          holdId,
          epoch: 1,
          phase: "Serving",
          interface: "pl0"
        })
        assert.isAtLeast(cluster.kernel("node-1").announcements().length, 3)
        yield* Effect.sleep("5 minutes")
        assert.strictEqual(cluster.memory.requests().get("operator-node-1 apply ipallocations/status"), 1)
      })
    )
  })

  it("announces what it finds in place when it starts: its predecessor may have died before it could", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, operator } = yield* start
        yield* operator.kill
        const before = cluster.kernel("node-1").announcements().length
        yield* cluster.startOperator("node-1", "second")
        yield* Effect.sleep("2 seconds")
        assert.isAbove(cluster.kernel("node-1").announcements().length, before)
      })
    )
  })

  it("reports nothing that it could not announce, and announces it as soon as it may (seed 50 of the simulation)", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, operator, reported } = yield* start
        yield* operator.kill
        const kernel = cluster.kernel("node-1")
        const nobodySaid = { status: { addresses: [] } }
        yield* cluster.api.patch(ipAllocations, { name: "web", namespace: "shop" }, nobodySaid, {
          subresource: "status"
        })
        kernel.setPermitted(false)
        yield* cluster.startOperator("node-1", "second")
        yield* Effect.sleep("4 seconds")
        const before = kernel.announcements().length
        assert.deepStrictEqual(reported(), [])
        kernel.setPermitted(true)
        yield* Effect.sleep("2 seconds")
        assert.isAbove(kernel.announcements().length, before)
        assert.lengthOf(reported(), 1)
      })
    )
  })

  it("announces again when another node lets go late: clients may have learned of that one meanwhile", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const kernel = cluster.kernel("node-1")
        const former = { address: served, node: "node-2", holdId: "1.00000000", epoch: 0, phase: "Released" as const }
        yield* Effect.sleep("1 minute")
        const before = kernel.announcements().length
        yield* cluster.api.apply(
          ipAllocations,
          {
            apiVersion: "loadbalancing.plenus.io/v1alpha1",
            kind: "IPAllocation",
            metadata: { name: "web", namespace: "shop" },
            status: { addresses: [{ ...former, since: "2027-01-15T08:00:00Z" }] }
          },
          { fieldManager: "node-2", force: true, subresource: "status" }
        )
        yield* Effect.sleep("1 minute")
        const after = kernel.announcements().length
        assert.isAbove(after, before)
        yield* Effect.sleep("5 minutes")
        assert.strictEqual(kernel.announcements().length, after)
      })
    )
  })

  it("announces nothing more once its lease may have been fenced, though a burst is under way", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const kernel = cluster.kernel("node-1")
        kernel.foreignDelete("pl0", served)
        yield* Effect.sleep("500 millis")
        const before = kernel.announcements().length
        cluster.cutOff("operator-node-1")
        yield* Effect.sleep("10 seconds")
        const beforeTheLast = kernel.announcements().length
        assert.isAbove(beforeTheLast, before)
        yield* Effect.sleep("1 minute")
        assert.strictEqual(kernel.announcements().length, beforeTheLast)
      })
    )
  })

  it("counts a renewal that it read back from its sending, and the next one comes a period after that (R3)", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const { memory } = cluster
        const renewals = () => memory.requests().get("operator-node-1 replace leases") ?? 0
        const before = renewals()
        memory.faults.next(({ method, user }) => method === "replace" && user === "operator-node-1", {
          replyDelayMillis: 300,
          loseReply: true
        })
        yield* Effect.sleep(1).pipe(Effect.repeat({ until: () => renewals() > before }))
        yield* Effect.sleep(TestCluster.times.renewMillis - 5)
        assert.strictEqual(renewals() - before, 1)
        yield* Effect.sleep(10)
        assert.strictEqual(renewals() - before, 2)
      })
    )
  })

  it("renews at once after it found what an earlier attempt has written: that may be as old as the lease lasts (R3)", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const { memory } = cluster
        const renewals = () => memory.requests().get("operator-node-1 replace leases") ?? 0
        const before = renewals()
        memory.faults.next(isOwn, { loseReply: true })
        memory.faults.next(isOwn, { loseReply: true })
        yield* Effect.sleep(1).pipe(Effect.repeat({ until: () => renewals() > before + 1 }))
        yield* Effect.sleep(10)
        assert.strictEqual(renewals() - before, 3)
      })
    )
  })

  it("begins its watches anew once the API answers again: one that died on the way is silent for minutes", () => {
    virtually(
      Effect.gen(function* () {
        const { carries, cluster } = yield* start
        const { api, memory } = cluster
        memory.watches.silence(({ user }) => user === "operator-node-1")
        memory.faults.setPolicy((request) =>
          Effect.succeed(request.plural === "leases" ? { refuse: new Unavailable({ message: "no route" }) } : {})
        )
        yield* api.delete(ipAllocations, { name: "web", namespace: "shop" })
        yield* Effect.sleep("5 seconds")
        assert.isTrue(carries())
        memory.faults.setPolicy(() => Effect.succeed({}))
        yield* Effect.sleep("2 seconds")
        assert.isFalse(carries())
      })
    )
  })

  it("goes on keeping the kernel and its lease while a report is not answered, and reports in the end", () => {
    virtually(
      Effect.gen(function* () {
        const { carries, cluster, holdId, reported } = yield* start
        const { api, memory } = cluster
        memory.faults.setPolicy(({ method, user }) =>
          Effect.succeed(method === "apply" && user === "operator-node-1" ? { delayMillis: 20_000 } : {})
        )
        const kernel = cluster.kernel("node-1")
        kernel.setToolFailure("ip: killed")
        const entry = { address: served, pool: "rack-1", nodeName: "node-1", networkInterface: "pl0", holdId, epoch: 2 }
        yield* api.patch(ipAllocations, { name: "web", namespace: "shop" }, { spec: { allocations: [entry] } })
        yield* Effect.sleep("2 seconds")
        kernel.setToolFailure(undefined)
        yield* Effect.sleep("3 seconds")
        const renewals = () => memory.requests().get("operator-node-1 replace leases") ?? 0
        const before = renewals()
        kernel.foreignDelete("pl0", served)
        yield* Effect.sleep("3 seconds")
        assert.isTrue(carries())
        assert.isAtLeast(renewals() - before, 2)
        memory.faults.setPolicy(() => Effect.succeed({}))
        yield* Effect.sleep("3 seconds")
        assert.strictEqual(reported()[0]?.epoch, 2)
      })
    )
  })

  it("announces on an uplink that comes back: clients behind it have heard nothing meanwhile", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const kernel = cluster.kernel("node-1")
        kernel.setUp("eth0", false)
        yield* Effect.sleep("5 minutes")
        const before = kernel.announcements().length
        kernel.setUp("eth0", true)
        kernel.setDefaultRoutes([{ interfaceName: "eth0", metric: 100 }])
        yield* Effect.sleep("1 second")
        assert.isAbove(kernel.announcements().length, before)
        yield* Effect.sleep("5 minutes")
        const after = kernel.announcements().length
        yield* Effect.sleep("5 minutes")
        assert.strictEqual(kernel.announcements().length, after)
      })
    )
  })

  it("announces once the pool's interface is up again: nobody could be answered before", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const kernel = cluster.kernel("node-1")
        kernel.setUp("pl0", false)
        yield* Effect.sleep("5 minutes")
        const before = kernel.announcements().length
        kernel.setUp("pl0", true)
        yield* Effect.sleep("1 second")
        assert.isAbove(kernel.announcements().length, before)
      })
    )
  })

  it("announces nothing more of an address that went with its interface and is another's by then", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const kernel = cluster.kernel("node-1")
        kernel.deleteInterface("pl0")
        yield* cluster.api.delete(ipAllocations, { name: "web", namespace: "shop" })
        yield* Effect.sleep("1 second")
        const before = kernel.announcements().length
        yield* Effect.sleep("1 minute")
        assert.strictEqual(kernel.announcements().length, before)
      })
    )
  })

  it("registers by another attempt when the first is not answered: until then its addresses may be taken from it", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const { api, memory } = cluster
        memory.faults.next(({ method, user }) => method === "create" && user === "operator-node-1", {
          delayMillis: 20_000
        })
        yield* api.patch(leases, leaseRef, { metadata: { finalizers: [] } })
        yield* api.delete(leases, leaseRef)
        yield* Effect.sleep("5 seconds")
        assert.isDefined(memory.truth.get(leases, leaseRef))
      })
    )
  })

  it("leaves its watches alone when a single renewal fails", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const { memory } = cluster
        const watches = () => memory.requests().get("operator-node-1 watch ipallocations") ?? 0
        const before = watches()
        memory.faults.next(({ method, user }) => method === "replace" && user === "operator-node-1", {
          refuse: new Unavailable({ message: "busy" })
        })
        yield* Effect.sleep("10 seconds")
        assert.strictEqual(watches(), before)
      })
    )
  })

  it("undoes a foreign deletion at once, without a write", () => {
    virtually(
      Effect.gen(function* () {
        const { carries, cluster } = yield* start
        cluster.kernel("node-1").foreignDelete("pl0", served)
        assert.isFalse(carries())
        yield* Effect.sleep(100)
        assert.isTrue(carries())
        assert.strictEqual(cluster.memory.requests().get("operator-node-1 apply ipallocations/status"), 1)
      })
    )
  })

  it("leaves what v0.4 put on the node until the controller has stamped its hold id on it", () => {
    virtually(
      Effect.gen(function* () {
        const cluster = yield* TestCluster.make(["node-1"])
        const network = { pool: "rack-1", interfaceName: "pl0", mode: "auto", uplinks: [], startupCleaning: "all" }
        yield* cluster.api.create(configMaps, {
          metadata: { name: nodeConfigMapName, namespace: TestCluster.ownNamespace },
          data: { "config.json": JSON.stringify({ pools: [network] }) }
        })
        const entry = { address: served, pool: "rack-1", nodeName: "node-1", networkInterface: "pl0" }
        yield* cluster.api.create(ipAllocations, {
          metadata: {
            name: "web",
            namespace: "shop",
            labels: { [nodeLabel("node-1")]: "", [addressLabel(served)]: "" }
          },
          spec: { type: "persistent", allocations: [entry] }
        })
        const kernel = cluster.kernel("node-1")
        kernel.foreignAdd("pl0", { address: served, prefixLength: 32, scope: "link", label: "pl0:pllb" })
        yield* cluster.startOperator("node-1")
        yield* Effect.sleep("2 minutes")
        const held = kernel.state().interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address))
        assert.include(held, served)
      })
    )
  })

  it("drops what lies on a renamed interface when it is fenced, though the label went with the name", () => {
    virtually(
      Effect.gen(function* () {
        const { carries, cluster, holdId } = yield* start
        cluster.kernel("node-1").renameInterface("pl0", "br7")
        yield* Effect.sleep("5 seconds")
        assert.isTrue(carries())
        yield* cluster.api.patch(leases, leaseRef, {
          metadata: { annotations: { [nodeLeaseAnnotations.fenced]: holdId } }
        })
        yield* Effect.sleep("3 seconds")
        assert.isFalse(carries())
      })
    )
  })

  it("drops everything when it is fenced, and registers under a new id only then", () => {
    virtually(
      Effect.gen(function* () {
        const { carries, cluster, holdId, idNow } = yield* start
        cluster.kernel("node-1").setToolFailure("ip: no")
        yield* cluster.api.patch(leases, leaseRef, {
          metadata: { annotations: { [nodeLeaseAnnotations.fenced]: holdId } }
        })
        yield* Effect.sleep("10 seconds")
        assert.strictEqual(idNow(), holdId, "it cannot let go, and must not be given more")
        cluster.kernel("node-1").setToolFailure(undefined)
        yield* Effect.sleep("5 seconds")
        assert.isFalse(carries())
        assert.match(idNow() ?? "", /^2\./)
      })
    )
  })

  it("does not take a removal that succeeded for done while the kernel still has the address", () => {
    virtually(
      Effect.gen(function* () {
        const { carries, cluster, holdId, idNow } = yield* start
        const { network } = cluster.kernel("node-1")
        const { removeAddress } = network
        Object.assign(network, { removeAddress: () => Effect.void })
        yield* cluster.api.patch(leases, leaseRef, {
          metadata: { annotations: { [nodeLeaseAnnotations.fenced]: holdId } }
        })
        yield* Effect.sleep("10 seconds")
        assert.isTrue(carries())
        assert.strictEqual(idNow(), holdId)
        Object.assign(network, { removeAddress })
        yield* Effect.sleep("5 seconds")
        assert.isFalse(carries())
        assert.match(idNow() ?? "", /^2\./)
      })
    )
  })

  it("registers only once it can send, as not without NET_RAW: nobody would come to its addresses", () => {
    virtually(
      Effect.gen(function* () {
        const cluster = yield* TestCluster.make(["node-1"])
        const { network } = cluster.kernel("node-1")
        const { canSend } = network
        const reason = new NotPermitted({ message: "socat: Operation not permitted" })
        const refused = Effect.fail(new NodeNetworkError({ method: "canSend", reason }))
        let isPermitted = false
        Object.assign(network, { canSend: Effect.suspend(() => (isPermitted ? canSend : refused)) })
        const operator = yield* cluster.startOperator("node-1")
        yield* Effect.sleep("10 seconds")
        assert.isUndefined(cluster.memory.truth.get(leases, leaseRef))
        assert.isFalse(yield* operator.isReady)
        isPermitted = true
        yield* Effect.sleep("3 seconds")
        assert.isTrue(yield* operator.isReady)
      })
    )
  })

  it("does not renew while its tools fail", () => {
    virtually(
      Effect.gen(function* () {
        const { cluster, operator } = yield* start
        cluster.kernel("node-1").setToolFailure("ip: no")
        yield* Effect.sleep("35 seconds")
        const version = () => cluster.memory.truth.get(leases, leaseRef)?.metadata.resourceVersion
        const before = version()
        yield* Effect.sleep("20 seconds")
        assert.strictEqual(version(), before)
        assert.isFalse(yield* operator.isReady)
        cluster.kernel("node-1").setToolFailure(undefined)
        yield* Effect.sleep("5 seconds")
        assert.notStrictEqual(version(), before)
      })
    )
  })

  it("goes on renewing while its changes come too late, since what it serves is served", () => {
    virtually(
      Effect.gen(function* () {
        const { carries, cluster, holdId } = yield* start
        const { fence } = cluster.kernel("node-1").network
        const { write } = fence
        const late = new FenceRefused({ why: "TicketExpired" })
        Object.assign(fence, { write: () => Effect.fail(new NodeNetworkError({ method: "fence", reason: late })) })
        yield* cluster.api.create(ipAllocations, {
          metadata: {
            name: "api",
            namespace: "shop",
            labels: { [nodeLabel("node-1")]: "", [addressLabel(other)]: "" }
          },
          spec: {
            type: "persistent",
            allocations: [
              { address: other, pool: "rack-1", nodeName: "node-1", networkInterface: "pl0", holdId, epoch: 1 }
            ]
          }
        })
        const renewals = () => cluster.memory.requests().get("operator-node-1 replace leases") ?? 0
        const before = renewals()
        yield* Effect.sleep("8 seconds")
        assert.isAtLeast(renewals() - before, 6)
        assert.isFalse(carries(other))
        Object.assign(fence, { write })
        yield* Effect.sleep("2 seconds")
        assert.isTrue(carries(other))
      })
    )
  })

  it("ends and touches nothing when another process has its lease", () => {
    virtually(
      Effect.gen(function* () {
        const { carries, cluster, operator } = yield* start
        yield* cluster.startOperator("node-1", "second")
        yield* Effect.sleep("5 seconds")
        const ended = yield* Effect.flip(Fiber.join(operator.running))
        assert.strictEqual(ended._tag, "Superseded")
        assert.isTrue(carries())
      })
    )
  })

  it("leaves its addresses in place when it is stopped", () => {
    virtually(
      Effect.gen(function* () {
        const { carries, operator } = yield* start
        yield* operator.stop
        yield* Effect.sleep("1 minute")
        assert.isTrue(carries())
      })
    )
  })

  it("keeps what it holds when the ConfigMap of the pools is gone", () => {
    virtually(
      Effect.gen(function* () {
        const { carries, cluster } = yield* start
        yield* cluster.api.delete(configMaps, { name: nodeConfigMapName, namespace: TestCluster.ownNamespace })
        yield* Effect.sleep("40 seconds")
        assert.isTrue(carries())
        const { annotations } = cluster.memory.truth.get(leases, leaseRef)?.metadata ?? {}
        assert.strictEqual(annotations?.[nodeLeaseAnnotations.interfaces], '{"pl0":""}')
      })
    )
  })
})
