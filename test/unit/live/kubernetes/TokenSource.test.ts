import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { ClusterAccessError } from "../../../../src/live/kubernetes/ClusterAccess.ts"
import * as TokenSource from "../../../../src/live/kubernetes/TokenSource.ts"

/** A file whose content the test changes; absent while it is undefined. */
const file = (content: string | undefined) => {
  const state = { content, reads: 0 }
  const read = Effect.suspend(() => {
    state.reads++
    return state.content === undefined
      ? Effect.fail(new ClusterAccessError({ message: "ENOENT" }))
      : Effect.succeed(state.content)
  })
  const source = TokenSource.make(read)
  return { state, source, current: Effect.map(source.current, Redacted.value) }
}

describe("TokenSource", () => {
  it.effect("reads once a minute", () =>
    Effect.gen(function* () {
      const { state, current } = file("one\n")
      assert.strictEqual(yield* current, "one")
      state.content = "two"
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual([yield* current, state.reads], ["one", 1])
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual([yield* current, yield* current, state.reads], ["two", "two", 2])
    })
  )

  it.effect("reads at once after the token was refused", () =>
    Effect.gen(function* () {
      const { state, source, current } = file("one")
      const token = yield* source.current
      state.content = "two"
      yield* source.refused(token)
      assert.strictEqual(yield* current, "two")
    })
  )

  it.effect("the late refusal of an old token does not throw away the new one", () =>
    Effect.gen(function* () {
      const { state, source, current } = file("one")
      const old = yield* source.current
      yield* source.refused(old)
      yield* current
      yield* source.refused(old)
      yield* current
      assert.strictEqual(state.reads, 2)
    })
  )

  it.effect("a read that fails keeps the old token and is tried again with the next request, not after a minute", () =>
    Effect.gen(function* () {
      const { state, current } = file("one")
      yield* current
      state.content = undefined
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual(yield* current, "one")
      state.content = "two"
      assert.strictEqual(yield* current, "two")
    })
  )

  it.effect("fails while there was never a token, and recovers with the next request", () =>
    Effect.gen(function* () {
      const { state, current } = file(undefined)
      assert.strictEqual((yield* Effect.flip(current)).message, "ENOENT")
      state.content = "one"
      assert.strictEqual(yield* current, "one")
    })
  )
})
