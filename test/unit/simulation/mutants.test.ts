/** The mutants still fit the code that they change; whether they are found is what `npm run mutants` measures. */
import { readFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mutants } from "../../simulation/mutants/all.ts"
import { type Mutant, mutate } from "../../simulation/mutants/Mutant.ts"
import { taskOf, tryOne } from "../../simulation/mutants/Trial.ts"

const root = join(import.meta.dirname, "../../..")
const shipping = /^src\/(cloud|controller|operator|domain|reconcile)\//

describe("the mutant", () => {
  it.each(mutants)("$name is a bug in one place of the shipping code, which compiles", (mutant) => {
    assert.match(mutant.file, shipping)
    const source = readFileSync(join(root, mutant.file), "utf8")
    const mutated = mutate(mutant, source)
    assert.notStrictEqual(mutated, source)
    assert.doesNotThrow(() => stripTypeScriptTypes(mutated))
  })

  it("has a name of its own", () => {
    assert.strictEqual(new Set(mutants.map(({ name }) => name)).size, mutants.length)
  })

  it("that does not fit any more says so", () => {
    const [mutant] = mutants
    if (mutant === undefined) return assert.fail("no mutants")
    assert.throws(() => mutate(mutant, ""), /stands 0 times/)
    assert.throws(() => mutate(mutant, mutant.find + mutant.find), /stands 2 times/)
  })
})

const hangs: Mutant = {
  name: "hangs",
  what: "the first plan is never finished",
  file: "src/domain/Plan.ts",
  find: "  const { service, allocation } = observed\n  if (service === undefined || !service.ours) {",
  replace:
    "  const { service, allocation } = observed\n  while (true) {\n    if (observed === undefined) break\n  }\n  if (service === undefined || !service.ours) {",
  killedBy: "hung"
}

/** So much of a processor no scenario takes, and whoever hangs soon has. */
const limit = { leastMillis: 100, of: () => Effect.succeed(4_000) }
const nothing = { scenarios: [], seeds: [] }
const scenario = { scenarios: ["first-service"], seeds: [] }
const unchanged = (passes: boolean) => ({
  known: () => undefined,
  of: () => Effect.succeed({ passes, cpuMillis: 1 })
})

describe("a trial", () => {
  it.live(
    "ends a mutant that hangs, says where, and counts it as a kill of no other invariant",
    () =>
      Effect.gen(function* () {
        const plan = { ranges: [[1, 2]], withoutFaults: nothing, unchanged: unchanged(true), limit }
        const { kills, others, problem } = yield* tryOne({ ...hangs, killedBy: "S1" }, plan)
        assert.deepStrictEqual(kills, [])
        assert.deepStrictEqual(
          others.map(({ invariant, where }) => [invariant, where]),
          [
            ["hung", "seed 1"],
            ["hung", "seed 2"]
          ]
        )
        assert.match(problem ?? "", /^survives S1 .* 2 times, first hung in seed 1/)
      }),
    600_000
  )

  it.live(
    "counts a mutant that hangs as killed where that is what it is named for",
    () =>
      Effect.gen(function* () {
        const plan = { ranges: [[7]], withoutFaults: nothing, unchanged: unchanged(true), limit }
        const { kills, problem } = yield* tryOne(hangs, plan)
        assert.strictEqual(problem, undefined)
        assert.deepStrictEqual(
          kills.map(({ invariant, runsCount, where }) => [invariant, runsCount, where]),
          [["hung", 1, "seed 7"]]
        )
      }),
    600_000
  )

  it.live(
    "lets be what takes no longer than it may, and does not run a seed that fails anyhow",
    () =>
      Effect.gen(function* () {
        const known = { passes: false, cpuMillis: 1 }
        const failing = { known: () => known, of: () => Effect.succeed(known) }
        const plan = { ranges: [[1, 2]], withoutFaults: scenario, unchanged: failing, limit }
        const { kills, others, problem } = yield* tryOne({ ...hangs, replace: hangs.find }, plan)
        assert.deepStrictEqual([kills, others], [[], []])
        assert.include(problem, "survives hung")
      }),
    600_000
  )
})

describe("the size of a mutant's cluster", () => {
  it.each([
    [undefined, { seed: 7, nodesCount: 4, servicesCount: 10 }],
    [
      { nodesCount: 9, servicesCount: 50 },
      { seed: 7, nodesCount: 9, servicesCount: 50 }
    ],
    ["drawn" as const, { seed: 7 }]
  ])("%o", (cluster, options) => {
    assert.deepStrictEqual(taskOf({ cluster }, 7).seeds, [options])
  })
})
