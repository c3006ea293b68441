import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, References } from "effect"
import { forkForEver } from "../../../src/reconcile/ForEver.ts"
import { virtually } from "../virtually.ts"

describe("a loop that stays", () => {
  it("goes on after a turn that met a bug, which is logged, and not at once", () => {
    virtually(
      Effect.gen(function* () {
        let turns = 0
        const logged: Array<string> = []
        const turn = Effect.suspend(() => {
          turns++
          if (turns === 2) throw new Error("a bug")
          return Effect.sleep("100 millis")
        })
        const logger = Logger.make(({ message }) => void logged.push(String(message)))
        yield* forkForEver("a test", turn).pipe(
          Effect.provide(Logger.layer([logger])),
          Effect.provideService(References.MinimumLogLevel, "Error")
        )
        yield* Effect.sleep("1 second")
        assert.strictEqual(turns, 2)
        assert.deepStrictEqual(logged, ["defect in a test"])
        yield* Effect.sleep("2 seconds")
        assert.isAbove(turns, 10)
      })
    )
  })
})
