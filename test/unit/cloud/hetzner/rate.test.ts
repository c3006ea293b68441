/** The budget of requests: who waits for how long, and who goes first. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { RateBucket } from "../../../../src/cloud/hetzner/RateBucket.ts"
import * as RateGate from "../../../../src/cloud/hetzner/RateGate.ts"
import type { Priority } from "../../../../src/ports/Cloud.ts"
import type { HttpReply } from "../../../../src/ports/HttpExchange.ts"
import { monotonicMillis } from "../../../../src/reconcile/Monotonic.ts"
import { virtually } from "../../virtually.ts"

describe("RateBucket", () => {
  // 3600 an hour: one a second. Normal requests leave 10 % to failover, background ones half.
  it.each<[string, number, Priority, number]>([
    ["lets anybody through while it is full", 3_600, "background", 0],
    ["keeps half of it from what may wait", 1_800, "background", 1_000],
    ["lets the others go on", 1_800, "normal", 0],
    ["keeps a tenth for failover", 360, "normal", 1_000],
    ["lets failover have the last one", 1, "failover", 0],
    ["makes failover wait for the next one only", 0, "failover", 1_000],
    ["makes the others wait until the reserve is there again", 0, "normal", 361_000]
  ])("%s", (_, remaining, priority, waitMillis) => {
    const bucket = new RateBucket(0)
    bucket.correct(3_600, remaining, 0, 0)
    assert.strictEqual(bucket.waitMillis(priority, 0), waitMillis)
  })

  it("fills up again, and not further", () => {
    const bucket = new RateBucket(0)
    bucket.refuse(0, 0)
    assert.strictEqual(bucket.waitMillis("failover", 900), 100)
    assert.strictEqual(bucket.waitMillis("failover", 1_000), 0)
    bucket.correct(10, 10, 0, 1_000)
    for (let count = 0; count < 10; count++) bucket.take()
    assert.strictEqual(bucket.waitMillis("failover", 1_000), 360_000)
  })

  it("takes off what is under way and not counted yet", () => {
    const bucket = new RateBucket(0)
    bucket.correct(3_600, 3, 3, 0)
    assert.strictEqual(bucket.waitMillis("failover", 0), 1_000)
  })
})

const reply = (remaining: number, status = 200): HttpReply => ({
  status,
  headers: { "ratelimit-limit": "3600", "ratelimit-remaining": String(remaining) },
  body: ""
})

/** Who was let through, and when. */
const makeGate = Effect.gen(function* () {
  const gate = yield* RateGate.make
  const log: Array<string> = []
  const ask = (name: string, priority: Priority, answer = reply(0)) =>
    gate.through(
      priority,
      Effect.map(monotonicMillis, (now) => {
        log.push(`${name} ${now}`)
        return answer
      })
    )
  return { log, ask, startMillis: yield* monotonicMillis }
})

describe("RateGate", () => {
  it("sends failover first when nothing is left, one a second, and the others when their share is back", () => {
    virtually(
      Effect.gen(function* () {
        const { ask, log, startMillis } = yield* makeGate
        yield* ask("first", "normal", reply(0))
        const normal = yield* Effect.forkChild(ask("normal", "normal", reply(3_600)))
        yield* Effect.sleep("10 millis")
        yield* Effect.all([ask("a", "failover"), ask("b", "failover")], { concurrency: 2, discard: true })
        yield* Fiber.join(normal)
        assert.deepStrictEqual(log, [
          `first ${startMillis}`,
          `a ${startMillis + 1_000}`,
          `b ${startMillis + 2_000}`,
          `normal ${startMillis + 363_000}`
        ])
      }).pipe(Effect.scoped)
    )
  })

  it("pauses after a 429, and then counts on what that says is left", () => {
    virtually(
      Effect.gen(function* () {
        const { ask, log, startMillis } = yield* makeGate
        yield* ask("refused", "failover", reply(3_000, 429))
        yield* ask("next", "normal", reply(0, 429))
        const normal = yield* Effect.forkChild(ask("last", "normal", reply(3_600)))
        yield* ask("failover", "failover")
        yield* Fiber.join(normal)
        assert.deepStrictEqual(log, [
          `refused ${startMillis}`,
          `next ${startMillis + 1_000}`,
          `failover ${startMillis + 2_000}`,
          `last ${startMillis + 363_000}`
        ])
      }).pipe(Effect.scoped)
    )
  })

  it("forgets who does not wait any more", () => {
    virtually(
      Effect.gen(function* () {
        const { ask, log, startMillis } = yield* makeGate
        yield* ask("first", "normal", reply(0))
        yield* ask("impatient", "failover").pipe(Effect.timeoutOption("100 millis"))
        yield* ask("patient", "failover")
        assert.deepStrictEqual(log, [`first ${startMillis}`, `patient ${startMillis + 1_000}`])
      }).pipe(Effect.scoped)
    )
  })
})
