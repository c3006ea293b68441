import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { keep, Lines, reasonOfEnd, start } from "../../../../src/live/linux/StayingProcess.ts"
import { defaultToolbox } from "../../../../src/live/linux/Tool.ts"

/** Processes that are numbers, and what was done with them. */
const counted = () => {
  const story: Array<string> = []
  const over = new Set<number>()
  let begun = 0
  const kept = keep(
    Effect.sync(() => {
      const number = ++begun
      story.push(`start ${number}`)
      return {
        number,
        isOver: () => over.has(number),
        kill: () => void story.push(`kill ${number}`)
      }
    })
  )
  const which = kept.ask(({ number }) => Effect.succeed(number))
  return { kept, over, story, which }
}

describe("a process that is kept for all", () => {
  it.effect("is started by the first who asks, and not again", () =>
    Effect.gen(function* () {
      const { kept, story, which } = counted()
      assert.deepStrictEqual(story, [])
      assert.deepStrictEqual([yield* which, yield* which], [1, 1])
      assert.deepStrictEqual(story, ["start 1"])
      kept.end()
      kept.end()
      assert.deepStrictEqual(story, ["start 1", "kill 1"])
    })
  )

  it.effect("is replaced when it is of no more use", () =>
    Effect.gen(function* () {
      const { over, story, which } = counted()
      yield* which
      over.add(1)
      assert.strictEqual(yield* which, 2)
      assert.deepStrictEqual(story, ["start 1", "kill 1", "start 2"])
    })
  )

  it.effect("ends with a question that fails, and another answers the next one", () =>
    Effect.gen(function* () {
      const { kept, story, which } = counted()
      assert.strictEqual(yield* Effect.flip(kept.ask(() => Effect.fail("no answer"))), "no answer")
      assert.deepStrictEqual(story, ["start 1", "kill 1"])
      assert.strictEqual(yield* which, 2)
    })
  )

  it.effect("ends with a question that is given up; who waited for his turn asks another", () =>
    Effect.gen(function* () {
      const { kept, story, which } = counted()
      const first = yield* Effect.forkChild(
        kept.ask(() => Effect.never),
        { startImmediately: true }
      )
      const second = yield* Effect.forkChild(which, { startImmediately: true })
      assert.deepStrictEqual(story, ["start 1"])
      yield* Fiber.interrupt(first)
      assert.strictEqual(yield* Fiber.join(second), 2)
      assert.deepStrictEqual(story, ["start 1", "kill 1", "start 2"])
    })
  )

  it.effect("is asked by one at a time", () =>
    Effect.gen(function* () {
      const { kept } = counted()
      const answer = yield* Deferred.make<void>()
      const story: Array<string> = []
      const ask = (name: string) =>
        kept.ask(() =>
          Effect.sync(() => story.push(`${name} asks`)).pipe(
            Effect.andThen(Deferred.await(answer)),
            Effect.andThen(Effect.sync(() => story.push(`${name} is answered`)))
          )
        )
      const asking = yield* Effect.forEach(["one", "two"], (name) =>
        Effect.forkChild(ask(name), { startImmediately: true })
      )
      assert.deepStrictEqual(story, ["one asks"])
      yield* Deferred.succeed(answer, undefined)
      yield* Effect.forEach(asking, (fiber) => Fiber.join(fiber))
      assert.deepStrictEqual(story, ["one asks", "one is answered", "two asks", "two is answered"])
    })
  )
})

const shell = (script: string, options: Parameters<typeof start>[3] = {}) =>
  start(defaultToolbox, "sh", ["-c", script], options)

describe("a process that stays", () => {
  it.live("is heard to its last word before its end is told", () =>
    Effect.gen(function* () {
      let said = ""
      const hear = (text: string) => void (said += text)
      const { ended, isOver } = shell("echo out; echo wrong >&2; exit 3", { onOutput: hear, onErrors: hear })
      assert.deepStrictEqual(yield* ended, { _tag: "Ended", how: "ended with exit code 3" })
      assert.deepStrictEqual(said.split("\n").toSorted(), ["", "out", "wrong"])
      assert.isTrue(isOver())
    })
  )

  it.live("is heard to the last word of what it has left behind, too", () =>
    Effect.gen(function* () {
      let said = ""
      const left = "{ while kill -0 $$ 2>/dev/null; do :; done; echo late; }"
      const { ended } = shell(`${left} & exit 3`, { onOutput: (text) => void (said += text) })
      yield* ended
      assert.strictEqual(said, "late\n")
    })
  )

  it.live("does no harm when it reads nothing of what it is told", () =>
    Effect.gen(function* () {
      const isDeaf = yield* Deferred.make<void>()
      const { ended, kill, write } = shell("exec <&-; echo; exec sleep 60", {
        isWrittenTo: true,
        onOutput: () => Deferred.doneUnsafe(isDeaf, Effect.void)
      })
      yield* Deferred.await(isDeaf)
      let isWritten = false
      write("lost", () => (isWritten = true))
      kill()
      yield* ended
      assert.isFalse(isWritten)
    })
  )

  it.live("that cannot be started has ended, and says why", () =>
    Effect.gen(function* () {
      const { ended, isOver, write } = start(defaultToolbox, "/nonexistent/ip", [], { isWrittenTo: true })
      assert.isTrue(isOver())
      write("lost\n")
      const reason = reasonOfEnd(yield* ended, "ip", "")
      assert.include(reason._tag === "ToolFailed" && reason.message, "did not start: spawn /nonexistent/ip ENOENT")
    })
  )

  it.live("is over as soon as it is killed", () =>
    Effect.gen(function* () {
      const { ended, isOver, kill } = shell("exec sleep 60")
      assert.isFalse(isOver())
      kill()
      assert.isTrue(isOver())
      assert.deepStrictEqual(yield* ended, { _tag: "Ended", how: "ended with SIGKILL" })
    })
  )
})

describe("lines that come in pieces", () => {
  // oxfmt-ignore
  it.each<[string, ReadonlyArray<string>, ReadonlyArray<string>, string]>([
    ["are whole when their end has come",  ["on", "e\ntwo", "\n"], ["one", "two"],       ""],
    ["may come many at once, or be empty", ["one\n\ntwo\nthr"],    ["one", "", "two"],   "thr"],
    ["are none before the first end",      ["o", "n"],             [],                   "on"]
  ])("%s", (_, pieces, whole, rest) => {
    const heard: Array<string> = []
    const lines = new Lines((line) => heard.push(line))
    for (const piece of pieces) lines.hear(piece)
    assert.deepStrictEqual([heard, lines.rest], [whole, rest])
  })
})
