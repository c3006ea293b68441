import { assert, describe, it } from "@effect/vitest"
import { Pace } from "../../../src/reconcile/Pace.ts"

const options = { burst: 3, intervalMillis: 1_000 }

/** How many of those that ask every `everyMillis` until `untilMillis` act. */
const countOf = (pace: Pace, key: string, everyMillis: number, untilMillis: number): number => {
  let count = 0
  for (let now = 0; now < untilMillis; now += everyMillis) if (pace.take(key, now) === 0) count += 1
  return count
}

describe("a pace", () => {
  it("lets a burst act at once, and says when the next may", () => {
    const pace = new Pace(options)
    assert.deepStrictEqual(
      [0, 0, 0, 400].map((now) => pace.take("a", now)),
      [0, 0, 0, 600]
    )
    assert.strictEqual(pace.take("a", 1_000), 0)
  })

  it("is kept by one who never ceases to ask, and not felt by one who seldom does", () => {
    assert.strictEqual(countOf(new Pace(options), "a", 1, 10_000), 3 + 9)
    assert.strictEqual(countOf(new Pace(options), "a", 1_000, 10_000), 10)
  })

  it("is each key's own", () => {
    const pace = new Pace(options)
    for (let count = 0; count < 9; count++) pace.take("a", 0)
    assert.strictEqual(pace.take("b", 0), 0)
  })

  it("gives a whole burst again after a rest", () => {
    const pace = new Pace(options)
    for (let count = 0; count < 9; count++) pace.take("a", 0)
    assert.strictEqual(countOf(pace, "b", 1, 1), 1)
    assert.deepStrictEqual(
      [3_000, 3_000, 3_000, 3_000].map((now) => pace.take("a", now)),
      [0, 0, 0, 1_000]
    )
  })
})
