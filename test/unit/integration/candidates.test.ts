/** A cluster that is too large for every node to renew every second, here of eight: few are candidates, the others idle. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { endpointSlices } from "../../../src/api/EndpointSlice.ts"
import { leases } from "../../../src/api/Lease.ts"
import { nodeLeaseName } from "../../../src/api/Names.ts"
import { nodes } from "../../../src/api/Node.ts"
import * as NodeLease from "../../../src/api/NodeLease.ts"
import { services } from "../../../src/api/Service.ts"
import * as Candidates from "../../../src/domain/Candidates.ts"
import { idleTimes } from "../../../src/domain/FailoverTimes.ts"
import { allocation, createPool, createService, run, shown } from "./Acting.ts"
import * as TestCluster from "./TestCluster.ts"

const names = Array.from({ length: 8 }, (_, index) => `node-${index + 1}`)
const candidates: Candidates.Policy = { ...Candidates.policy, everyNodeUpTo: 5 }
const idle = idleTimes(TestCluster.times)

const leaseOf = ({ memory }: TestCluster.TestCluster, node: string): NodeLease.NodeLease | undefined => {
  const lease = memory.truth.get(leases, { namespace: TestCluster.ownNamespace, name: nodeLeaseName(node) })
  return lease && NodeLease.read(lease)
}

const idleIn = (cluster: TestCluster.TestCluster) =>
  names.filter((node) => leaseOf(cluster, node)?.durationMillis === idle.quietMillis)

const renewalsOf = ({ memory }: TestCluster.TestCluster) =>
  names.map((node) => memory.requests().get(`operator-${node} replace leases`) ?? 0)

const holderOf = (cluster: TestCluster.TestCluster, service: string): string =>
  allocation(cluster, service)?.spec.allocations[0]?.nodeName ?? ""

/**
 * With a pool, and for so long that who is not needed has gone idle. The first controller is one for which all nodes are
 * candidates, so that the second finds the whole cluster at once; by and by it might keep up to six.
 */
const start = Effect.gen(function* () {
  const cluster = yield* TestCluster.make(names)
  const former = yield* cluster.startController("controller-0")
  yield* createPool(cluster, "rack-1")
  const operators = new Map<string, TestCluster.RunningOperator>()
  for (const node of names) operators.set(node, yield* cluster.startOperator(node))
  yield* Effect.sleep("5 seconds")
  yield* former.stop
  yield* cluster.startController("controller-a", { candidates })
  yield* Effect.sleep("90 seconds")
  return { cluster, operators }
})

const firstIdle = (cluster: TestCluster.TestCluster) => idleIn(cluster)[0] ?? ""

const createPreferring = (cluster: TestCluster.TestCluster, node: string) =>
  cluster.api.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "shop", annotations: { "loadbalancing.plenus.io/preferred-node": node } },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }] }
  })

describe("a cluster of which few nodes are candidates", () => {
  it("has three that renew every second, and five every ten, which say so", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const resting = idleIn(cluster)
        assert.lengthOf(resting, 5)
        const before = renewalsOf(cluster)
        yield* Effect.sleep("100 seconds")
        const renewals = renewalsOf(cluster).map((count, index) => count - (before[index] ?? 0))
        for (const [index, count] of renewals.entries()) {
          const expected = resting.includes(names[index] ?? "") ? 10 : 100
          assert.approximately(count, expected, expected / 20, names[index])
        }
      })
    )
  })

  it("has no idle voters, and idle nodes name none", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const resting = idleIn(cluster)
        for (const node of names) {
          const voters = leaseOf(cluster, node)?.voters ?? []
          assert.strictEqual(voters.length, resting.includes(node) ? 0 : 3, node)
          for (const voter of voters) assert.notInclude(resting, voter)
        }
      })
    )
  })

  it("gives addresses to candidates", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const resting = idleIn(cluster)
        for (const service of ["a", "b", "c"]) yield* createService(cluster, service)
        yield* Effect.sleep("2 seconds")
        for (const service of ["a", "b", "c"]) assert.notInclude(resting, holderOf(cluster, service))
      })
    )
  })

  it("moves what a dead candidate held within L and half a second, and chooses another candidate at once", () => {
    run(
      Effect.gen(function* () {
        const { cluster, operators } = yield* start
        yield* createService(cluster, "web")
        yield* Effect.sleep("2 seconds")
        const holder = holderOf(cluster, "web")
        yield* operators.get(holder)?.kill ?? Effect.die("nobody holds it")
        yield* Effect.sleep(TestCluster.times.quietMillis + 500)
        assert.notStrictEqual(holderOf(cluster, "web"), holder)
        assert.lengthOf(idleIn(cluster), 4)
      })
    )
  })

  it("takes an idle node over only after what it announces", () => {
    run(
      Effect.gen(function* () {
        const { cluster, operators } = yield* start
        const node = firstIdle(cluster)
        yield* operators.get(node)?.kill ?? Effect.die("there is no idle node")
        yield* Effect.sleep(idle.quietMillis - idle.renewMillis - 1_000)
        assert.isUndefined(leaseOf(cluster, node)?.fenced)
        yield* Effect.sleep(idle.renewMillis + 2_000)
        assert.strictEqual(leaseOf(cluster, node)?.fenced, leaseOf(cluster, node)?.holdId)
      })
    )
  })

  it("makes candidates of two nodes that a pool may use, before any Service asks", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const ofRack2 = idleIn(cluster).slice(0, 3)
        for (const name of ofRack2) yield* cluster.api.patch(nodes, { name }, { metadata: { labels: { rack: "2" } } })
        yield* createPool(cluster, "rack-2", {
          addresses: ["198.51.100.1-198.51.100.9"],
          nodeSelector: { matchLabels: { rack: "2" } }
        })
        yield* Effect.sleep("2 seconds")
        assert.lengthOf(
          idleIn(cluster).filter((node) => ofRack2.includes(node)),
          1
        )
        yield* createService(cluster, "web", ["198.51.100.1"])
        yield* Effect.sleep("1 second")
        assert.deepStrictEqual(shown(cluster, "web"), ["198.51.100.1"])
        assert.include(ofRack2, holderOf(cluster, "web"))
      })
    )
  })

  it("makes a candidate of the node that a Service prefers, and places its address there", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const node = firstIdle(cluster)
        yield* createPreferring(cluster, node)
        yield* Effect.sleep("2 seconds")
        assert.lengthOf(shown(cluster, "web"), 1)
        assert.strictEqual(holderOf(cluster, "web"), node)
      })
    )
  })

  it("does without the node that a Service prefers, when that does not begin in three seconds", () => {
    run(
      Effect.gen(function* () {
        const { cluster, operators } = yield* start
        const node = firstIdle(cluster)
        yield* operators.get(node)?.kill ?? Effect.die("there is no idle node")
        yield* createPreferring(cluster, node)
        yield* Effect.sleep("2 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), [])
        yield* Effect.sleep("3 seconds")
        assert.lengthOf(shown(cluster, "web"), 1)
      })
    )
  })

  it("makes a candidate of a node that has the only ready endpoint, where traffic stays on the node", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const node = firstIdle(cluster)
        yield* cluster.api.create(endpointSlices, {
          apiVersion: "discovery.k8s.io/v1",
          kind: "EndpointSlice",
          addressType: "IPv4",
          metadata: { name: "web-1", namespace: "shop", labels: { "kubernetes.io/service-name": "web" } },
          endpoints: [{ nodeName: node, conditions: { ready: true } }]
        })
        yield* cluster.api.create(services, {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "web", namespace: "shop" },
          spec: { type: "LoadBalancer", ports: [{ port: 80 }], externalTrafficPolicy: "Local" }
        })
        yield* Effect.sleep("2 seconds")
        assert.lengthOf(shown(cluster, "web"), 1)
        assert.strictEqual(holderOf(cluster, "web"), node)
      })
    )
  })

  it("keeps its candidates when another controller leads", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start
        const before = idleIn(cluster)
        yield* cluster.startController("controller-b", { candidates })
        cluster.cutOff("controller-a")
        yield* Effect.sleep("2 minutes")
        assert.deepStrictEqual(idleIn(cluster), before)
      })
    )
  })
})
