import { assert, describe, it } from "@effect/vitest"
import { fromMillis } from "../../../../src/memory/kubernetes/Rfc3339.ts"

describe("Rfc3339.fromMillis", () => {
  // oxfmt-ignore
  it.each([
    ["the epoch", 0, "1970-01-01T00:00:00Z"],
    ["the last millisecond of a second", 999, "1970-01-01T00:00:00Z"],
    ["the leap day of a century that has one", 951_782_400_000, "2000-02-29T00:00:00Z"],
    ["the day after it", 951_868_800_000, "2000-03-01T00:00:00Z"],
    ["the end of a year", 1_798_761_599_000, "2026-12-31T23:59:59Z"],
    ["the century that has no leap day", 4_107_542_400_000, "2100-03-01T00:00:00Z"],
    ["a time before the epoch", -1000, "1969-12-31T23:59:59Z"]
  ] as const)("%s", (_, millis, text) => {
    assert.strictEqual(fromMillis(millis), text)
  })

  it("agrees with Date on every seventh day of two centuries", () => {
    for (let day = 0; day < 73_000; day += 7) {
      const millis = day * 86_400_000 + 12_345_000
      assert.strictEqual(fromMillis(millis), new Date(millis).toISOString().replace(".000Z", "Z"))
    }
  })
})
