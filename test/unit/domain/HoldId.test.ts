import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as HoldId from "../../../src/domain/HoldId.ts"

const id = (text: string): HoldId.HoldId => Result.getOrThrow(HoldId.parse(text))

describe("HoldId", () => {
  it("begins at generation 1, and every fence raises it", () => {
    const first = HoldId.next(undefined, "aa")
    assert.strictEqual(first, "1.aa")
    assert.strictEqual(HoldId.next(HoldId.next(first, "bb"), "aa"), "3.aa")
  })

  it.each(["1.9f86d081884c7d65", "0.a", "999999999999999.z"])("reads %s", (text) => {
    assert.strictEqual(id(text), text)
  })

  it.each(["", "1", "1.", ".aa", "01.aa", "-1.aa", "1.AA", "1.aa.bb", "1e3.aa", "9999999999999999.aa"])(
    "refuses %j",
    (text) => {
      assert.isTrue(Result.isFailure(HoldId.parse(text)))
    }
  )

  // oxfmt-ignore
  it.each([
    // name                                                             named     observed  fenced   standing
    ["it holds under it",                                               "2.aa",   "2.aa",   false,   "Current"],
    ["it was fenced",                                                   "2.aa",   "2.aa",   true,    "Fenced"],
    ["the node came back under another since",                          "2.aa",   "3.bb",   false,   "Fenced"],
    ["the node came back and was fenced again",                         "2.aa",   "3.bb",   true,    "Fenced"],
    ["the observer is behind: change nothing (R1)",                     "3.bb",   "2.aa",   false,   "Ahead"],
    ["the observer is behind, and what it sees is fenced",              "3.bb",   "2.aa",   true,    "Ahead"],
    ["by number, not by text",                                          "10.aa",  "9.bb",   false,   "Ahead"],
    ["two ids of one generation prove no fence",                        "2.aa",   "2.bb",   false,   "Foreign"]
  ])("standing: %s", (_, named, observed, fenced, standing) => {
    assert.strictEqual(HoldId.standing(id(named), { holdId: id(observed), fenced }), standing)
  })
})
