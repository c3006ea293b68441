/** Voters that cannot be reached are told of before an outage needs their word, and nothing else comes of it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { events } from "../../../src/api/Event.ts"
import { leases } from "../../../src/api/Lease.ts"
import { nodeLeaseName } from "../../../src/api/Names.ts"
import * as NodeLease from "../../../src/api/NodeLease.ts"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { virtually } from "../virtually.ts"
import * as TestCluster from "./TestCluster.ts"

const start = Effect.fnUntraced(function* (nodesCount: number) {
  const names = Array.from({ length: nodesCount }, (_, index) => `node-${index + 1}`)
  const cluster = yield* TestCluster.make(names)
  const controller = yield* cluster.startController("controller-a")
  const hostNetworkInterface = { addAddressesToInterface: true, interfaceName: "pl0", mode: "auto" }
  const pool = (name: string, options: object) =>
    cluster.api.create(persistentIPPools, {
      metadata: { name },
      spec: { addresses: [name === "rack-1" ? "192.0.2.10" : "198.51.100.7"], ...options }
    })
  yield* pool("rack-1", { options: { hostNetworkInterface } })
  yield* pool("elsewhere", {})
  const operators = new Map<string, TestCluster.RunningOperator>()
  for (const name of names) operators.set(name, yield* cluster.startOperator(name, undefined, "replaced"))
  const degraded = (name = "rack-1") =>
    cluster.memory.truth.get(persistentIPPools, { name })?.status?.conditions?.find(({ type }) => type === "Degraded")
  const saidBy = (node: string) => {
    const lease = cluster.memory.truth.get(leases, {
      name: nodeLeaseName(node),
      namespace: TestCluster.ownNamespace
    })
    return lease === undefined ? undefined : NodeLease.read(lease)?.unreached
  }
  const told = () =>
    [...cluster.memory.truth.list(events).values()].filter(({ reason }) => reason === "VotersUnreached").length
  yield* Effect.sleep("20 seconds")
  return { ...cluster, controller, degraded, names, operators, saidBy, told }
})

/** As Prometheus is told. */
const unreachedCounts = ({ measure }: TestCluster.RunningController) =>
  Effect.andThen(measure, Metric.snapshot).pipe(
    Effect.map((all) =>
      all
        .filter(({ id }) => id === "plenuslb_voters_unreached")
        .map(({ attributes, state }) => `${attributes?.["node"]} ${"value" in state ? String(state.value) : ""}`)
        .toSorted()
    ),
    Effect.provideService(Metric.MetricRegistry, new Map())
  )

/** Six looks in a row, at most 36 s apart and each a second long, and the renewal after them. */
const untilTold = Effect.sleep("4 minutes")

describe("voters that do not answer", () => {
  it("are named by who asks them and by the pools, once, and not any more once they answer", () => {
    virtually(
      Effect.gen(function* () {
        const { degraded, memory, offLan, saidBy, told } = yield* start(3)
        offLan.add("node-3")
        yield* untilTold
        assert.deepStrictEqual(saidBy("node-1"), { "node-3": "Silent" })
        assert.deepStrictEqual(saidBy("node-3"), { "node-1": "Silent", "node-2": "Silent" })
        assert.strictEqual(degraded()?.reason, "VotersUnreached")
        assert.include(degraded()?.message, "On node-1 (and others) no answer comes from node-3. Open TCP port 8080")
        assert.include(degraded()?.message, "keeps its addresses with one voter less")
        assert.strictEqual(degraded("elsewhere")?.reason, "AsSpecified")
        const writes = () => memory.requests().get("controller-a apply persistentippools/status") ?? 0
        const [before, toldBefore] = [writes(), told()]
        assert.isAbove(toldBefore, 0)
        yield* Effect.sleep("10 minutes")
        assert.deepStrictEqual([writes(), told()], [before, toldBefore])
        offLan.delete("node-3")
        yield* Effect.sleep("45 seconds")
        assert.strictEqual(degraded()?.reason, "AsSpecified")
        assert.isUndefined(saidBy("node-3"))
      })
    )
  })

  it("are too few where there is only one other: an outage would cost the addresses", () => {
    virtually(
      Effect.gen(function* () {
        const { controller, degraded, offLan } = yield* start(2)
        offLan.add("node-2")
        yield* untilTold
        assert.include(degraded()?.message, "node-1 has too few voters to go by, and lets its addresses go")
        assert.deepStrictEqual(yield* unreachedCounts(controller), ["node-1 1", "node-2 1"])
      })
    )
  })

  it("are told apart by their key, and a node without one names itself", () => {
    virtually(
      Effect.gen(function* () {
        const { degraded, otherKeys, saidBy } = yield* start(3)
        otherKeys.set("node-2", "x".repeat(64))
        yield* untilTold
        assert.deepStrictEqual(saidBy("node-1"), { "node-2": "NotBelieved" })
        assert.include(degraded()?.message, "node-2 and node-1 have different keys")
        otherKeys.set("node-1", "none")
        yield* untilTold
        assert.deepStrictEqual(saidBy("node-1"), { "node-1": "NoKey" })
        assert.include(degraded()?.message, "On node-1 (and others) it has no key: Secret plenuslb-witness")
      })
    )
  })

  it("are not told of while one is replaced, dead, or cut off with its API server", () => {
    virtually(
      Effect.gen(function* () {
        const { cutOff, heal, names, offLan, operators, saidBy, startOperator, told } = yield* start(3)
        yield* operators.get("node-2")?.terminate ?? Effect.void
        yield* Effect.sleep("55 seconds")
        operators.set("node-2", yield* startOperator("node-2"))
        yield* untilTold
        offLan.add("node-3")
        cutOff("operator-node-3")
        yield* untilTold
        assert.deepStrictEqual(names.map(saidBy), [undefined, undefined, undefined])
        offLan.delete("node-3")
        heal("operator-node-3")
        yield* operators.get("node-1")?.kill ?? Effect.void
        yield* untilTold
        assert.strictEqual(told(), 0)
      })
    )
  })

  it("are asked seldom: each by each other once in half a minute, and a node that is alone asks nobody", () => {
    virtually(
      Effect.gen(function* () {
        const three = yield* start(3)
        yield* Effect.sleep("10 minutes")
        assert.isAtLeast(three.sentTo("node-1"), 30)
        assert.isAtMost(three.sentTo("node-1"), 52)
        const alone = yield* start(1)
        yield* Effect.sleep("10 minutes")
        assert.strictEqual(alone.sentTo("node-1"), 0)
      })
    )
  })

  it("do not count what is gone: the last words of a node that was fenced", () => {
    virtually(
      Effect.gen(function* () {
        const { degraded, offLan, operators, saidBy } = yield* start(3)
        offLan.add("node-3")
        yield* untilTold
        assert.strictEqual(degraded()?.reason, "VotersUnreached")
        yield* operators.get("node-3")?.kill ?? Effect.void
        yield* untilTold
        assert.isDefined(saidBy("node-3"))
        assert.strictEqual(degraded()?.reason, "AsSpecified")
      })
    )
  })
})
