/** The budget of requests: who waits for how long, and who goes first. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { RateBucket } from "../../../../src/cloud/hetzner/RateBucket.ts"
import * as RateGate from "../../../../src/cloud/hetzner/RateGate.ts"
import * as RetryAfter from "../../../../src/cloud/hetzner/RetryAfter.ts"
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

const refusedTimes = (count: number, random: number) => {
  const bucket = new RateBucket(0)
  let nowMillis = 0
  for (let n = 1; n < count; n++) {
    bucket.refuseUnsaid(random, nowMillis)
    nowMillis += bucket.waitMillis("failover", nowMillis)
  }
  bucket.refuseUnsaid(random, nowMillis)
  return { bucket, nowMillis }
}

describe("RateBucket, refused without a word of what is left", () => {
  it.each<[string, number, number, number]>([
    ["pauses for a second at least", 1, 0, 1_000],
    ["pauses for two at most", 1, 1, 2_000],
    ["draws from twice as many each time", 3, 0.5, 4_000],
    ["draws from ten seconds at most", 30, 1, 10_000]
  ])("%s, whatever may be waited for", (_, count, random, waitMillis) => {
    const { bucket, nowMillis } = refusedTimes(count, random)
    for (const priority of ["failover", "normal", "background"] as const) {
      assert.strictEqual(bucket.waitMillis(priority, nowMillis), waitMillis)
    }
  })

  it("begins anew once something was let through", () => {
    const { bucket, nowMillis } = refusedTimes(5, 1)
    bucket.accept()
    bucket.refuseUnsaid(1, nowMillis + 60_000)
    assert.strictEqual(bucket.waitMillis("normal", nowMillis + 60_000), 2_000)
  })

  it("counts those that were sent together once", () => {
    const bucket = new RateBucket(0)
    for (let n = 0; n < 10; n++) bucket.refuseUnsaid(1, 0)
    assert.strictEqual(bucket.waitMillis("normal", 0), 2_000)
  })
})

describe("Retry-After", () => {
  const wallMillis = Date.parse("2026-11-29T12:00:00Z")
  it.each<[string, string, number]>([
    ["seconds", "7", 7_000],
    ["a date", "Sun, 29 Nov 2026 12:00:09 GMT", 9_000],
    ["a date that is over", "Sun, 29 Nov 2026 11:00:00 GMT", 0],
    ["more than some minutes, which is a mistake", "86400", 300_000],
    ["no number and no date", "soon", 0]
  ])("is read: %s", (_, text, millis) => {
    assert.strictEqual(RetryAfter.millisOf({ headers: { "retry-after": text } }, wallMillis), millis)
    assert.strictEqual(RetryAfter.millisOf({ headers: {} }, wallMillis), 0)
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

  it("goes on soon after a 429 that says nothing of the budget, and as late as it asks", () => {
    virtually(
      Effect.gen(function* () {
        const { ask, log, startMillis } = yield* makeGate
        yield* ask("first", "normal", { ...reply(0), headers: {} })
        yield* ask("refused", "normal", { status: 429, headers: {}, body: "" })
        yield* ask("asked", "normal", { status: 429, headers: { "retry-after": "30" }, body: "" })
        yield* ask("last", "background", { ...reply(0), headers: {} })
        const [first = 0, refused = 0, asked = 0, last = 0] = log.map(
          (line) => Number(line.split(" ")[1]) - startMillis
        )
        assert.deepStrictEqual([first, refused], [0, 0])
        assert.isAtLeast(asked, 1_000)
        assert.isAtMost(asked, 2_000)
        assert.strictEqual(last, asked + 30_000)
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
