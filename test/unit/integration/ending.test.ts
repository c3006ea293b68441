/** The end of an operator, and what becomes of its node's addresses. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { leases } from "../../../src/api/Lease.ts"
import { nodeLeaseName } from "../../../src/api/Names.ts"
import * as NodeLease from "../../../src/api/NodeLease.ts"
import type { Ending } from "../../../src/operator/Parts.ts"
import { allocation, carriers, createPool, createService, run, threeNodes } from "./Acting.ts"
import * as TestCluster from "./TestCluster.ts"

const address = "192.0.2.10"

/** A Service is served; `operator` is the one of its node. */
const served = Effect.fnUntraced(function* (ending: Ending) {
  const cluster = yield* TestCluster.make(threeNodes)
  yield* cluster.startController("controller-a")
  const operators = yield* Effect.forEach(threeNodes, (node) => cluster.startOperator(node, undefined, ending))
  yield* Effect.sleep("5 seconds")
  yield* createPool(cluster, "rack-1")
  yield* createService(cluster, "web", [address])
  yield* Effect.sleep("5 seconds")
  const [node = ""] = carriers(cluster, address)
  const operator = operators[threeNodes.indexOf(node)]
  assert(operator !== undefined)
  return { cluster, node, operator, entry: allocation(cluster, "web")?.spec.allocations[0] }
})

const leased = (cluster: TestCluster.TestCluster, node: string) =>
  Effect.map(
    Effect.orDie(cluster.kernel(node).network.fence.state),
    (state): ReadonlyArray<string> => state?.leased ?? []
  )

const leaseOf = (cluster: TestCluster.TestCluster, node: string) => {
  const lease = cluster.memory.truth.get(leases, { namespace: TestCluster.ownNamespace, name: nodeLeaseName(node) })
  return lease === undefined ? undefined : NodeLease.read(lease)
}

describe("an operator that is replaced", () => {
  it("leaves its addresses served for as long as the next one may take to come, and nobody takes them", () => {
    run(
      Effect.gen(function* () {
        const { cluster, entry, node, operator } = yield* served("replaced")
        yield* operator.terminate
        yield* Effect.sleep("45 seconds")
        assert.deepStrictEqual(yield* leased(cluster, node), [address])
        assert.deepStrictEqual(carriers(cluster, address), [node])
        assert.deepStrictEqual(allocation(cluster, "web")?.spec.allocations[0], entry)
      })
    )
  })

  it("is succeeded in place: the same hold id and epoch, and soon the usual times again", () => {
    run(
      Effect.gen(function* () {
        const { cluster, entry, node, operator } = yield* served("replaced")
        yield* operator.terminate
        yield* Effect.sleep("30 seconds")
        const next = yield* cluster.startOperator(node, "next")
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(allocation(cluster, "web")?.spec.allocations[0], entry)
        assert.strictEqual(leaseOf(cluster, node)?.durationMillis, TestCluster.times.quietMillis)
        yield* next.kill
        yield* Effect.sleep(TestCluster.times.serveMillis)
        assert.deepStrictEqual(yield* leased(cluster, node), [])
      })
    )
  })

  it("and never succeeded, loses them once the time of the handover is over, and not before its kernel lets go", () => {
    run(
      Effect.gen(function* () {
        const { cluster, node, operator } = yield* served("replaced")
        yield* operator.terminate
        yield* Effect.sleep("51 seconds")
        assert.deepStrictEqual(yield* leased(cluster, node), [])
        assert.strictEqual(allocation(cluster, "web")?.spec.allocations[0]?.nodeName, node)
        yield* Effect.sleep("12 seconds")
        const now = allocation(cluster, "web")?.spec.allocations[0]?.nodeName ?? ""
        assert.notStrictEqual(now, node)
        assert.deepStrictEqual(yield* leased(cluster, now), [address])
      })
    )
  })
})

describe("an operator whose node goes down", () => {
  it("gives everything back, so that another node serves it without waiting for a silence", () => {
    run(
      Effect.gen(function* () {
        const { cluster, node, operator } = yield* served("leaving")
        yield* operator.terminate
        assert.notInclude(carriers(cluster, address), node)
        yield* Effect.sleep("1 second")
        const now = allocation(cluster, "web")?.spec.allocations[0]?.nodeName ?? ""
        assert.notStrictEqual(now, node)
        assert.deepStrictEqual(carriers(cluster, address), [now])
      })
    )
  })

  it("registers anew under another hold id, should the node come back without a boot", () => {
    run(
      Effect.gen(function* () {
        const { cluster, node, operator } = yield* served("leaving")
        const before = leaseOf(cluster, node)?.holdId
        yield* operator.terminate
        assert.strictEqual(leaseOf(cluster, node)?.released, before)
        yield* cluster.startOperator(node, "next")
        yield* Effect.sleep("5 seconds")
        assert.notStrictEqual(leaseOf(cluster, node)?.holdId, before)
      })
    )
  })
})

describe("an operator that cannot learn why it ends", () => {
  it("does nothing: another node takes over after the usual silence", () => {
    run(
      Effect.gen(function* () {
        const { cluster, node, operator } = yield* served("unknown")
        yield* operator.terminate
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual([carriers(cluster, address), yield* leased(cluster, node)], [[node], []])
        yield* Effect.sleep("3 seconds")
        assert.notStrictEqual(allocation(cluster, "web")?.spec.allocations[0]?.nodeName, node)
      })
    )
  })

  it("nor does one wait for an API server that does not answer", () => {
    run(
      Effect.gen(function* () {
        const { cluster, node, operator } = yield* served("replaced")
        cluster.cutOff(`operator-${node}`)
        yield* Effect.uninterruptible(operator.terminate)
        yield* Effect.sleep("1 second")
        assert.include(carriers(cluster, address), node)
        assert.deepStrictEqual(yield* leased(cluster, node), [], "its kernel let go by itself")
      })
    )
  })
})

describe("an operator whose tools fail", () => {
  it("serves again once they work, also when the fence was flushed meanwhile", () => {
    run(
      Effect.gen(function* () {
        const { cluster, node } = yield* served("unknown")
        const kernel = cluster.kernel(node)
        kernel.setToolFailure("out of memory")
        // Something to do, which fails.
        yield* createService(cluster, "other", ["192.0.2.11"])
        yield* Effect.sleep("2 seconds")
        kernel.fence.remove()
        kernel.setToolFailure(undefined)
        yield* Effect.sleep("30 seconds")
        for (const name of ["web", "other"]) {
          const entry = allocation(cluster, name)?.spec.allocations[0]
          assert.include(yield* leased(cluster, entry?.nodeName ?? ""), entry?.address)
        }
        assert.isTrue(leaseOf(cluster, node)?.fenced === undefined)
      })
    )
  })
})
