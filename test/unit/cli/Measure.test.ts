import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import * as Measure from "../../../src/cli/Measure.ts"

const table: Measure.Table = {
  columns: ["WHAT", "RATE"],
  rows: [
    ["one", "1,200 /s"],
    ["another", "7 /s"]
  ]
}

const finish = (bounds: ReadonlyArray<Measure.Bound>, json: Measure.Measurement["json"], file: string | undefined) => {
  const lines: Array<string> = []
  const written: Array<unknown> = []
  const files = FileSystem.makeNoop({
    writeFileString: (_, text) => Effect.sync(() => void written.push(JSON.parse(text)))
  })
  return Measure.finish({ table, bounds, json }, file, (line) => Effect.sync(() => void lines.push(line))).pipe(
    Effect.provideService(FileSystem.FileSystem, files),
    Effect.exit,
    Effect.map((exit) => ({ exit: exit._tag, lines, written }))
  )
}

describe("Measure", () => {
  it("aligns numbers to the right and words to the left", () => {
    assert.deepStrictEqual(Measure.render(table), [
      "WHAT         RATE",
      "-------  --------",
      "one      1,200 /s",
      "another      7 /s"
    ])
  })

  it.each([
    ["a rate", { allocationsPerSecond: 3 }, []],
    ["a nested list", { runs: [{ elapsedMillis: 1 }, { elapsed: 1 }] }, ["runs.elapsed"]],
    ["a bare number", { rate: 3 }, ["rate"]],
    ["text and truth", { name: "x", held: true }, []]
  ])("finds the keys that name no unit: %s", (_, json, found) => {
    assert.deepStrictEqual(Measure.keysWithoutUnit(json), found)
  })

  it.effect("succeeds when every bound held, and writes the result with its verdict", () =>
    Effect.gen(function* () {
      const { exit, written } = yield* finish([{ says: "fast", held: true }], { elapsedMillis: 5 }, "out.json")
      assert.strictEqual(exit, "Success")
      assert.deepStrictEqual(written, [{ elapsedMillis: 5, allBoundsHeld: true, missedBounds: [] }])
    })
  )

  it.effect("fails when a bound was missed, after table and file", () =>
    Effect.gen(function* () {
      const { exit, lines, written } = yield* finish([{ says: "fast", held: false }], { elapsedMillis: 5 }, "out.json")
      assert.strictEqual(exit, "Failure")
      assert.strictEqual(lines.at(-1), "MISSED: fast")
      assert.deepStrictEqual(written, [{ elapsedMillis: 5, allBoundsHeld: false, missedBounds: ["fast"] }])
    })
  )

  it.effect("writes no file unless asked", () =>
    Effect.gen(function* () {
      const { written } = yield* finish([], { elapsedMillis: 5 }, undefined)
      assert.deepStrictEqual(written, [])
    })
  )
})
