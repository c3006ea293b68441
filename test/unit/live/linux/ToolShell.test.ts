import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { defaultToolbox } from "../../../../src/live/linux/Tool.ts"
import * as ToolShell from "../../../../src/live/linux/ToolShell.ts"

const sh = (script: string) => ({ tool: "sh", args: ["-c", script] })
const shell = ToolShell.make(defaultToolbox)
const pidOfShell = sh("echo $PPID")

describe("a shell that stays", () => {
  it.live("answers what each command printed, in turn, whatever is in it", () =>
    Effect.gen(function* () {
      const { ask } = yield* shell
      const long = "x".repeat(300_000)
      const commands = [
        { tool: "echo", args: ["it's", 'a "word"', "$HOME", "a;b", "ü"] },
        sh("printf %0300000d 0 | tr 0 x"),
        sh("printf ''")
      ]
      assert.deepStrictEqual(yield* ask(commands), [`it's a "word" $HOME a;b ü\n`, long, ""])
    }).pipe(Effect.scoped)
  )

  it.live("is the same one for all that is asked", () =>
    Effect.gen(function* () {
      const { ask } = yield* shell
      assert.deepStrictEqual(yield* ask([pidOfShell]), yield* ask([pidOfShell]))
    }).pipe(Effect.scoped)
  )

  it.live("replaces `*` by files", () =>
    Effect.gen(function* () {
      const { ask } = yield* shell
      const [printed = ""] = (yield* ask([{ tool: "echo", args: ["/proc/sys/net/ipv4/conf/*/arp_ignore"] }])) ?? []
      assert.include(printed, "/proc/sys/net/ipv4/conf/all/arp_ignore")
    }).pipe(Effect.scoped)
  )

  it.live("answers nothing when one fails, unless what that one printed is enough", () =>
    Effect.gen(function* () {
      const { ask } = yield* shell
      const failing = sh("echo half; exit 3")
      const whole = sh("echo whole")
      assert.isUndefined(yield* ask([whole, failing]))
      assert.isUndefined(yield* ask([whole, { tool: "no-such-tool", args: [] }]))
      assert.deepStrictEqual(yield* ask([{ ...failing, isPartialEnough: true }, whole]), ["half\n", "whole\n"])
      assert.isUndefined(yield* ask([{ ...sh("exit 3"), isPartialEnough: true }]))
    }).pipe(Effect.scoped)
  )

  it.live("gives its commands nothing to read, least of all the next commands", () =>
    Effect.gen(function* () {
      const { ask } = yield* shell
      assert.deepStrictEqual(yield* ask([{ tool: "cat", args: [] }, sh("echo next")]), ["", "next\n"])
    }).pipe(Effect.scoped)
  )

  it.live("answers nothing when it dies, and the next one asks another", () =>
    Effect.gen(function* () {
      const { ask } = yield* shell
      assert.isUndefined(yield* ask([sh("kill -9 $PPID; sleep 60")]))
      assert.deepStrictEqual(yield* ask([sh("echo again")]), ["again\n"])
    }).pipe(Effect.scoped)
  )

  it.live("answers nothing where it cannot be started", () =>
    Effect.gen(function* () {
      const { ask } = yield* ToolShell.make({ ...defaultToolbox, commandPrefix: ["/no/such/program"] })
      assert.isUndefined(yield* ask([sh("echo")]))
      assert.isUndefined(yield* ask([sh("echo")]))
    }).pipe(Effect.scoped)
  )

  it.live("answers who asks at the same time one after the other", () =>
    Effect.gen(function* () {
      const { ask } = yield* shell
      const numbers = Array.from({ length: 20 }, (_, index) => `${index}`)
      const answers = yield* Effect.forEach(numbers, (each) => ask([{ tool: "echo", args: [each] }]), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        answers,
        numbers.map((each) => [`${each}\n`])
      )
    }).pipe(Effect.scoped)
  )

  it.live("ends, with what it runs, when nobody waits for the answer any more, and does not mix it with the next", () =>
    Effect.gen(function* () {
      const { ask } = yield* shell
      const [before] = (yield* ask([pidOfShell])) ?? []
      const sleep = `sleep 60.${process.pid}`
      const running = sh(`pgrep -xf '${sleep}' || echo none`)
      const asking = yield* Effect.forkChild(ask([sh(`exec ${sleep}`)]), { startImmediately: true })
      const other = yield* shell
      yield* Effect.repeat(other.ask([running]), { until: (answer) => answer?.[0] !== "none\n" })
      yield* Fiber.interrupt(asking)
      assert.notStrictEqual((yield* ask([pidOfShell]))?.[0], before)
      yield* Effect.repeat(other.ask([running]), { until: (answer) => answer?.[0] === "none\n" })
    }).pipe(Effect.scoped)
  )
})
