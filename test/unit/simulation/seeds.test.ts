/** A short slice of the simulation. `npm run simulate` runs as many seeds as you like. */
import { spawnSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import { version } from "../../../src/cli/Version.ts"
import { hash32 } from "../../../src/domain/Hash32.ts"
import { reportOf } from "../../../src/simulation/Report.ts"
import { run } from "../../../src/simulation/Run.ts"

const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

/** Another one with each commit, so that each tries what nobody has tried before, and fails for everybody or for nobody. */
const seedOfCommit = (): number => {
  const { status, stdout } = spawnSync("git", ["rev-parse", "HEAD"], { cwd: import.meta.dirname, encoding: "utf8" })
  return 1_000 + (hash32(status === 0 ? stdout.trim() : version) % 1_000_000)
}

/** A hang shows; a slow machine does not. */
const timeout = 120_000

/** Empty when the seed passed. */
const failureOf = (seed: number): string =>
  run({ seed }).verdict === "passed" ? "" : reportOf({ seed }, run({ seed, isTold: true })).join("\n")

describe("a cluster under faults", () => {
  it.each(seeds)("keeps every invariant with seed %i", { timeout }, (seed) => {
    assert.strictEqual(failureOf(seed), "")
  })

  it.each([seedOfCommit()])("keeps every invariant with seed %i, which is this commit's", { timeout }, (seed) => {
    assert.strictEqual(failureOf(seed), "")
  })

  it("leaves the same trace when a seed runs again", { timeout }, () => {
    assert.strictEqual(run({ seed: 11 }).hash, run({ seed: 11 }).hash)
  })

  it("leaves another trace with another seed", { timeout }, () => {
    assert.notStrictEqual(run({ seed: 11, faultMillis: 10_000 }).hash, run({ seed: 12, faultMillis: 10_000 }).hash)
  })
})
