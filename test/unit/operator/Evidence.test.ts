import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type * as NodeConfig from "../../../src/api/NodeConfig.ts"
import * as WitnessMessage from "../../../src/api/WitnessMessage.ts"
import * as Evidence from "../../../src/operator/Evidence.ts"
import { Seats } from "../../../src/operator/Seats.ts"
import { Peers } from "../../../src/ports/Peers.ts"
import { monotonicMillis } from "../../../src/reconcile/Monotonic.ts"
import { virtually } from "../virtually.ts"
import { leaseContent } from "./LeaseContent.ts"

const X = 5000
const members: ReadonlyArray<NodeConfig.Member> = ["a", "b", "c"].map((node) => ({
  node,
  zone: "",
  peer: { host: node, port: 8080 }
}))

const content = { ...leaseContent, witnessPort: 8080 }

/** Node a, which renewed just now for the last time; `b` vouches and `c` is silent, each after a while. */
const start = Effect.fnUntraced(function* (voters: ReadonlyArray<string> = ["a", "b", "c"]) {
  const beganMillis = yield* monotonicMillis
  const since = Effect.map(monotonicMillis, (now) => now - beganMillis)
  const situation = {
    registered: { lease: { metadata: { name: "lease", resourceVersion: "1" } }, content: { ...content, voters } },
    key: WitnessMessage.keyOf("k".repeat(64)),
    holdId: "1.x" as string | undefined,
    renewedAtMillis: beganMillis,
    answerMillis: 0,
    vouches: true
  }
  const extended: Array<readonly [asked: number, at: number]> = []
  let askedCount = 0
  const peers = Peers.of({
    ask: ({ host }) => {
      askedCount++
      if (host !== "b") return Effect.never
      const answer = { yes: situation.vouches, process: "p", atMillis: 0 }
      return Effect.as(Effect.sleep(situation.answerMillis), answer)
    }
  })
  const seats = new Seats(
    "a",
    () => members,
    () => situation.registered
  )
  if (voters.length > 1) seats.forWrite(true, beganMillis)
  yield* Evidence.run({
    node: "a",
    serveMillis: X,
    peers,
    key: Effect.sync(() => situation.key),
    seats,
    holdId: () => situation.holdId,
    renewedAtMillis: () => situation.renewedAtMillis,
    extend: (asked) => Effect.map(since, (at) => void extended.push([asked - beganMillis, at]))
  })
  return { askedCount: () => askedCount, extended, situation }
})

describe("evidence", () => {
  it("is asked for from r + X/2 on, and again before anything could run out", () => {
    virtually(
      Effect.gen(function* () {
        const { askedCount, extended } = yield* start()
        yield* Effect.sleep(2499)
        assert.strictEqual(askedCount(), 0)
        yield* Effect.sleep(60_000)
        const asked = [0, ...extended.map(([at]) => at)]
        assert.strictEqual(asked[1], 2500)
        for (const [index, at] of asked.slice(1).entries()) assert.isBelow(at - (asked[index] ?? 0), X * 0.75)
        assert.isAbove(asked.at(-1) ?? 0, 60_000)
      })
    )
  })

  it("counts from the asking, however long the answer took", () => {
    virtually(
      Effect.gen(function* () {
        const { extended, situation } = yield* start()
        situation.answerMillis = 400
        yield* Effect.sleep(3000)
        assert.deepStrictEqual(extended, [[2500, 2900]])
      })
    )
  })

  // oxfmt-ignore
  it.each<[string, (situation: { vouches: boolean, key: unknown, holdId: string | undefined, renewedAtMillis: number, answerMillis: number }) => void]>([
    ["no other voter has lost the control plane", (each) => { each.vouches = false }],
    ["the key is gone",                           (each) => { each.key = undefined }],
    ["this node does not want to renew",          (each) => { each.holdId = undefined }],
    ["an answer takes too long",                  (each) => { each.answerMillis = 600 }]
  ])("is not there while %s", (_, change) => {
    virtually(
      Effect.gen(function* () {
        const { extended, situation } = yield* start()
        change(situation)
        yield* Effect.sleep("20 seconds")
        assert.deepStrictEqual(extended, [])
      })
    )
  })

  it("is not there when the lease was found fenced while it was asked for", () => {
    virtually(
      Effect.gen(function* () {
        const { extended, situation } = yield* start()
        situation.answerMillis = 400
        yield* Effect.sleep(2700)
        situation.holdId = "2.y"
        yield* Effect.sleep(300)
        assert.deepStrictEqual(extended, [])
      })
    )
  })

  it("asks nobody more once a renewal is answered", () => {
    virtually(
      Effect.gen(function* () {
        const { askedCount, situation } = yield* start()
        yield* Effect.sleep("10 seconds")
        situation.renewedAtMillis = yield* monotonicMillis
        yield* Effect.sleep(1000)
        const before = askedCount()
        yield* Effect.sleep(1400)
        assert.strictEqual(askedCount(), before)
      })
    )
  })

  it("of a node that is alone is its own word", () => {
    virtually(
      Effect.gen(function* () {
        const { askedCount, extended } = yield* start(["a"])
        yield* Effect.sleep("10 seconds")
        assert.isNotEmpty(extended)
        assert.strictEqual(askedCount(), 0)
      })
    )
  })

  it("is not there without voters", () => {
    virtually(
      Effect.gen(function* () {
        const { askedCount, extended } = yield* start([])
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual([askedCount(), extended], [0, []])
      })
    )
  })
})
