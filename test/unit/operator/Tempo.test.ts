import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { idleTimes, profiles } from "../../../src/domain/FailoverTimes.ts"
import { Tempo } from "../../../src/operator/Tempo.ts"
import { monotonicMillis } from "../../../src/reconcile/Monotonic.ts"
import * as Signal from "../../../src/reconcile/Signal.ts"
import { virtually } from "../virtually.ts"

const times = profiles.default
const idle = idleTimes(times)

const make = Effect.gen(function* () {
  const changed = yield* Signal.make
  const state = { isNeeded: true }
  const tempo = new Tempo(times, () => state.isNeeded, changed, yield* monotonicMillis)
  const write = Effect.map(monotonicMillis, (now) => tempo.durationForWrite(now))
  return { tempo, state, changed, write }
})

/** Not needed for a minute, and what it then announced was acknowledged. */
const makeIdle = Effect.gen(function* () {
  const made = yield* make
  yield* made.write
  made.state.isNeeded = false
  yield* Effect.sleep("1 minute")
  const announced = yield* made.write
  return { ...made, announced }
})

describe("Tempo", () => {
  it("announces nothing of its own while the node is needed, and for a minute after", () => {
    virtually(
      Effect.gen(function* () {
        const { state, write } = yield* make
        yield* Effect.sleep("5 minutes")
        assert.isUndefined(yield* write)
        state.isNeeded = false
        yield* Effect.sleep(59_999)
        assert.isUndefined(yield* write)
        yield* Effect.sleep(1)
        assert.strictEqual(yield* write, idle.quietMillis)
      })
    )
  })

  it("votes for nobody from the first write on that announces it, acknowledged or not", () => {
    virtually(
      Effect.gen(function* () {
        const { tempo } = yield* makeIdle
        assert.isTrue(tempo.isIdle)
      })
    )
  })

  it("renews every p again, and votes, only once the shorter duration is acknowledged", () => {
    virtually(
      Effect.gen(function* () {
        const { state, tempo, write } = yield* makeIdle
        tempo.acknowledged()
        state.isNeeded = true
        assert.isUndefined(yield* write)
        assert.isTrue(tempo.isIdle)
        assert.isTrue(tempo.acknowledged(), "it begins")
        assert.isFalse(tempo.isIdle)
        assert.strictEqual(tempo.periodMillis(), times.renewMillis)
        yield* write
        assert.isFalse(tempo.acknowledged(), "it has begun before")
      })
    )
  })

  it("rests until it is needed, and not only until something changes", () => {
    virtually(
      Effect.gen(function* () {
        const { changed, state, tempo } = yield* makeIdle
        tempo.acknowledged()
        const begun = yield* monotonicMillis
        const rest = yield* Effect.forkChild(tempo.rest(tempo.periodMillis()))
        yield* Effect.sleep("2 seconds")
        changed.give()
        yield* Effect.sleep("2 seconds")
        state.isNeeded = true
        changed.give()
        yield* Fiber.join(rest)
        assert.strictEqual((yield* monotonicMillis) - begun, 4_000)
      })
    )
  })

  it("rests no longer than others were told to expect", () => {
    assert.isAtMost(3 * idle.renewMillis, idle.quietMillis)
    for (const profile of Object.values(profiles)) {
      assert.isAbove(idleTimes(profile).quietMillis, profile.quietMillis)
    }
  })
})
