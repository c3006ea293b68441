import { assert, describe, it } from "@effect/vitest"
import * as FailoverTimes from "../../../src/domain/FailoverTimes.ts"
import { int, options } from "./arbitraries.ts"

const names: ReadonlyArray<FailoverTimes.Profile> = ["default", "fast", "relaxed"]

/** The inequality once more, by simulating the two clocks that go wrong in the worst way. */
const isSafe = ({ serveMillis, ticketMillis, quietMillis }: FailoverTimes.FailoverTimes): boolean => {
  // The node's clock shows X + tau when this much true time has passed; the controller's shows L after that much.
  const lastServed = (serveMillis + ticketMillis) / (1 - 0.08)
  const takenOver = (quietMillis - 100) / (1 + 0.08)
  return takenOver >= lastServed - 1e-9
}

describe("FailoverTimes", () => {
  // By hand: (5000 + 300) * 1.08 / 0.92 + 100 = 6321.7; (2200 + 250) * 1.173913 + 100 = 2976.1; 12500 * 1.173913 + 100 = 14773.9
  it.each<[FailoverTimes.Profile, number]>([
    ["default", 6322],
    ["fast", 2977],
    ["relaxed", 14_774]
  ])("profile %s is safe, with the least L by hand", (name, least) => {
    assert.deepStrictEqual(FailoverTimes.check(FailoverTimes.profiles[name]), [])
    assert.strictEqual(FailoverTimes.leastQuietMillis(FailoverTimes.profiles[name]), least)
  })

  it("accepts exactly the least L", () => {
    assert.deepStrictEqual(FailoverTimes.check({ ...FailoverTimes.profiles.default, quietMillis: 6322 }), [])
  })

  it("has no L within which no other controller leads", () => {
    const { default: leader, fast } = FailoverTimes.leaderTimes
    const times = { ...FailoverTimes.profiles.fast, quietMillis: 4_000 }
    assert.include(FailoverTimes.checkLeader(times, leader)[0]?.message, "leads only after 4000")
    assert.deepStrictEqual(FailoverTimes.checkLeader(times, fast), [])
  })

  it("is safe in a handover with every profile's ticket", () => {
    for (const name of names) {
      const { ticketMillis, renewMillis } = FailoverTimes.profiles[name]
      assert.deepStrictEqual(FailoverTimes.check({ ...FailoverTimes.handover, ticketMillis, renewMillis }), [])
    }
  })

  it("has a new leader within L, so that holder and leader on one dead node cost no more", () => {
    for (const name of names) {
      const { leaseMillis, renewDeadlineMillis, retryMillis } = FailoverTimes.leaderTimes[name]
      assert.isBelow(leaseMillis + retryMillis, FailoverTimes.profiles[name].quietMillis)
      assert.isBelow(renewDeadlineMillis, leaseMillis)
    }
  })

  // oxfmt-ignore
  it.each<[string, Partial<FailoverTimes.FailoverTimes>, string, string]>([
    ["an L that is too short",           { quietMillis: 6321 },   "quietMillis",  "Raise it to at least 6322, or lower serveMillis (5000)"],
    ["a longer X alone",                 { serveMillis: 6000 },   "quietMillis",  "Raise it to at least 7496"],
    ["renewals that are too far apart",  { renewMillis: 2501 },   "renewMillis",  "Lower it to at most 2500"],
    ["a ticket shorter than a write",    { ticketMillis: 50 },    "ticketMillis", "at least 100"],
    ["zero",                             { renewMillis: 0 },      "renewMillis",  "above 0"],
    // (60,000 - 100) * 0.92 / 1.08 = 51,025.9: with 50,000 for the kernel 1,025 are left.
    ["a ticket too long for a handover", { ticketMillis: 1026, quietMillis: 8000 }, "ticketMillis", "Lower it to at most 1025"],
    ["an L longer than a handover's",    { quietMillis: 60_001 }, "quietMillis",  "Lower it to at most 60000"],
    ["what is no number",                { quietMillis: Number.NaN }, "quietMillis", "above 0"]
  ])("refuses %s, and names the value to change", (_, change, field, words) => {
    const problems = FailoverTimes.check({ ...FailoverTimes.profiles.default, ...change })
    assert.deepStrictEqual(problems.map((problem) => problem.field as string), [field])
    assert.include(problems[0]?.message, words)
  })

  it.prop(
    "accepts an L exactly when the slowest node has ended before the fastest controller acts",
    { serveMillis: int(1000, 20_000), ticketMillis: int(100, 900), quietMillis: int(1000, 30_000) },
    ({ serveMillis, ticketMillis, quietMillis }) => {
      const times = { serveMillis, ticketMillis, quietMillis, renewMillis: 500 }
      assert.strictEqual(FailoverTimes.check(times).length === 0, isSafe(times))
    },
    options
  )
})
