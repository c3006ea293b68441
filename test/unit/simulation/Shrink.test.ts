import { assert, describe, it } from "@effect/vitest"
import { commandOf, reportOf } from "../../../src/simulation/Report.ts"
import type { RunOptions, RunResult } from "../../../src/simulation/Run.ts"
import { shrink } from "../../../src/simulation/Shrink.ts"

const drawn = { only: ["cut", "kill", "pause", "skew"], nodesCount: 9, servicesCount: 40, faultMillis: 300_000 }

/** A system that breaks S1 under `cut` and `pause` with two nodes and three Services after a minute; S2 under `kill` alone. */
const run = (options: RunOptions): RunResult => {
  const {
    faultMillis = drawn.faultMillis,
    nodesCount = drawn.nodesCount,
    servicesCount = drawn.servicesCount
  } = options
  const faults = options.only ?? drawn.only
  const isS1 =
    ["cut", "pause"].every((name) => faults.includes(name)) &&
    nodesCount >= 2 &&
    servicesCount >= 3 &&
    faultMillis >= 60_000
  const isS2 = !isS1 && faults.includes("kill")
  const violations = isS1
    ? [{ invariant: "S1", message: "192.0.2.1 is served by node-1 and node-2" }]
    : isS2
      ? [{ invariant: "S2", message: "another failure" }]
      : []
  return {
    seed: options.seed,
    verdict: violations.length > 0 ? "safety" : "passed",
    violations,
    faults,
    nodesCount,
    servicesCount,
    faultMillis,
    excused: new Map(),
    seen: new Map(),
    simulatedMillis: faultMillis,
    stepsCount: 1,
    requestsCount: 0,
    hash: "",
    story: ["  1.000  node-1 holds 192.0.2.1", "  2.000  node-3 holds 192.0.2.9", "  3.000  * cut"]
  }
}

describe("shrink", () => {
  const failed = run({ seed: 7 })
  const { options, result, runsCount } = shrink({ seed: 7 }, failed, run)

  it("keeps what the failure needs and nothing else", () => {
    assert.deepStrictEqual(options, {
      seed: 7,
      only: ["cut", "pause"],
      nodesCount: 2,
      servicesCount: 3,
      faultMillis: 60_000
    })
  })

  it("does not take another failure for the same", () => {
    assert.strictEqual(result.violations[0]?.invariant, "S1")
  })

  it("ends after the runs that it may have", () => {
    assert.isBelow(runsCount, 200)
    assert.strictEqual(shrink({ seed: 7 }, failed, run, 3).runsCount, 3)
  })
})

describe("the report of a failure", () => {
  const options = { seed: 7, only: ["cut", "pause"], nodesCount: 2, servicesCount: 3, faultMillis: 60_000 }
  const lines = reportOf(options, run(options))

  it("names the invariant, what was seen, and the command that replays it", () => {
    assert.include(lines.join("\n"), "S1: 192.0.2.1 is served by node-1 and node-2")
    assert.include(lines.at(-1), commandOf(options))
    assert.strictEqual(
      commandOf(options),
      "npm run simulate -- --seed 7 --only 'cut,pause' --nodes 2 --services 3 --fault-seconds 60"
    )
  })

  it("tells what concerns the violation, and what faults did", () => {
    const story = lines.join("\n")
    assert.include(story, "node-1 holds 192.0.2.1")
    assert.include(story, "* cut")
    assert.notInclude(story, "192.0.2.9")
  })
})
