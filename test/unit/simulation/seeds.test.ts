/** A short slice of the simulation: the same seeds in every run. `npm run simulate` runs as many as you like. */
import { assert, describe, it } from "@effect/vitest"
import { reportOf } from "../../../src/simulation/Report.ts"
import { run } from "../../../src/simulation/Run.ts"

const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

/** A hang shows; a slow machine does not. */
const timeout = 120_000

/** Empty when the seed passed. */
const failureOf = (seed: number): string =>
  run({ seed }).verdict === "passed" ? "" : reportOf({ seed }, run({ seed, isTold: true })).join("\n")

describe("a cluster under faults", () => {
  it.each(seeds)("keeps every invariant with seed %i", { timeout }, (seed) => {
    assert.strictEqual(failureOf(seed), "")
  })

  it("leaves the same trace when a seed runs again", { timeout }, () => {
    assert.strictEqual(run({ seed: 11 }).hash, run({ seed: 11 }).hash)
  })

  it("leaves another trace with another seed", { timeout }, () => {
    assert.notStrictEqual(run({ seed: 11, faultMillis: 10_000 }).hash, run({ seed: 12, faultMillis: 10_000 }).hash)
  })
})
