import { assert, describe, it } from "@effect/vitest"
import { cover, type SeedRecord, tableOf } from "../../../src/simulation/Coverage.ts"

const record = (seed: number, seen: ReadonlyArray<string>, excused: SeedRecord["excused"] = {}): SeedRecord => ({
  seed,
  verdict: "passed",
  violations: [],
  hash: "",
  simulatedMillis: 1,
  seen,
  excused
})

const wanted = {
  faults: ["cut", "kill", "pause", "skew"],
  infeasible: [["skew", "cut"] as const],
  sometimes: ["a takeover that hits 409"]
}

describe("Coverage", () => {
  it("counts the seeds in which each was seen, also those never seen", () => {
    const { faults, sometimes } = cover([record(1, ["kill", "cut"]), record(2, ["kill", "unknown"])], wanted)
    assert.deepStrictEqual(Object.fromEntries(faults), { cut: 1, kill: 2, pause: 0, skew: 0 })
    assert.deepStrictEqual(Object.fromEntries(sometimes), { "a takeover that hits 409": 0 })
  })

  it("counts a pair only when both changed something in one seed, and leaves out the infeasible", () => {
    const coverage = cover([record(1, ["kill", "cut"]), record(2, ["pause"]), record(3, ["skew", "cut"])], wanted)
    assert.strictEqual(coverage.pairsFeasible, 5)
    assert.strictEqual(coverage.pairsSeen, 1)
    assert.deepInclude(coverage.pairsUnseen, ["cut", "pause"])
    assert.notDeepInclude(coverage.pairsUnseen, ["cut", "skew"])
  })

  it("adds up what was excused", () => {
    const coverage = cover([record(1, [], { S1: 2 }), record(2, [], { S1: 1, S14: 1 })], wanted)
    assert.deepStrictEqual(Object.fromEntries(coverage.excused), { S1: 3, S14: 1 })
    assert.deepInclude(tableOf(coverage).rows, ["excused (times)", "S1", "3"])
  })
})
