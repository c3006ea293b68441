import { assert, describe, it } from "@effect/vitest"
import { Prng } from "../../../src/simulation/kernel/Prng.ts"

describe("what is shuffled", () => {
  it("has each of the items once, and comes in every order", () => {
    const prng = new Prng(1)
    const orders = new Set(Array.from({ length: 200 }, () => prng.shuffled(["a", "b", "c"]).join("")))
    assert.sameMembers([...orders], ["abc", "acb", "bac", "bca", "cab", "cba"])
    assert.deepStrictEqual(prng.shuffled([]), [])
  })
})
