import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import * as Voters from "../../../src/domain/Voters.ts"
import { boolean, int, options } from "./arbitraries.ts"

/** `a:z1` is a node with its zone, `b:z1!` one that cannot vote. */
const members = (text: string): ReadonlyArray<Voters.Member> =>
  text
    .split(" ")
    .filter((each) => each !== "")
    .map((each) => {
      const [node = "", zone = ""] = each.replace("!", "").split(":")
      return { node, zone, votes: !each.endsWith("!") }
    })
const list = (text: string): ReadonlyArray<string> => text.split(" ").filter((each) => each !== "")
const choose = (present: string, voters = "", absent = "") =>
  Voters.choose({ node: "a", members: members(present), voters: list(voters), absent: new Set(list(absent)) })

describe("the voters of a node", () => {
  // oxfmt-ignore
  it.each([
    // name                                                            members               voters     absent  then
    ["are nobody while the leader names nobody",                        "",                   "",        "",     ""],
    ["are others before the leader knows the node itself",              "b c",                "",        "",     "a b c"],
    ["stay as they are while the leader names nobody",                  "",                   "a b c",   "",     "a b c"],
    ["are none in the end when the leader names nobody any more",       "",                   "a b",     "b",    ""],
    ["are nobody while it is another that is alone",                    "b!",                 "",        "",     ""],
    ["are itself where it is alone",                                    "a",                  "",        "",     "a"],
    ["are nobody while no other can vote yet, who may take over",       "a b! c!",            "",        "",     ""],
    ["are all where there are few",                                     "a b c",              "",        "",     "a b c"],
    ["are those that can vote",                                         "a b c!",             "",        "",     "a b"],
    ["take in who comes",                                               "a b c",              "a b",     "",     "a b c"],
    ["keep the seat of one that is away for a while",                   "a c",                "a b c",   "",     "a b c"],
    ["replace one that is away for long",                               "a c d",              "a b c",   "b",    "a c d"],
    ["replace one at a time",                                           "a d",                "a b c d", "b c",  "a c d"],
    ["become fewer where nobody replaces them",                         "a",                  "a b",     "b",    "a"],
    ["are nobody once nobody is left that can vote",                    "a b!",               "a b",     "b",    ""]
  ])("%s", (_, present, voters, absent, then) => {
    assert.deepStrictEqual(choose(present, voters, absent).toSorted(), list(then))
  })

  it("are at most seven, itself first", () => {
    const chosen = choose("a b c d e f g h i")
    assert.strictEqual(chosen[0], "a")
    assert.strictEqual(new Set(chosen).size, 7)
  })

  it("are spread over zones before any zone has two more than another", () => {
    const zoneOf = new Map(members("b:1 c:1 d:1 e:1 f:1 g:2 h:2 i:3 j:3").map(({ node, zone }) => [node, zone]))
    const chosen = choose("a:1 b:1 c:1 d:1 e:1 f:1 g:2 h:2 i:3 j:3").slice(1)
    const counts = ["1", "2", "3"].map((zone) => chosen.filter((node) => zoneOf.get(node) === zone).length)
    assert.deepStrictEqual(counts, [2, 2, 2])
  })

  it("fill the zone that has fewest when one is replaced", () => {
    const chosen = choose("a:1 b:1 c:1 d:2 e:1", "a b c x", "x")
    assert.include(chosen, "d")
  })

  it("are drawn differently by different nodes, so that no node votes for all", () => {
    const all = members(Array.from({ length: 40 }, (_, index) => `n${index}`).join(" "))
    const asked = new Set(
      all.flatMap(({ node }) => Voters.choose({ node, members: all, voters: [], absent: new Set() }))
    )
    assert.strictEqual(asked.size, 40)
  })

  it.prop(
    "are chosen once: choosing again changes nothing while the same nodes are there",
    { size: int(1, 12), votes: Arbitrary.array(boolean, { minLength: 12, maxLength: 12 }) },
    ({ size, votes }) => {
      const present = Array.from({ length: size }, (_, index) => ({
        node: `n${index}`,
        zone: `${index % 3}`,
        votes: index === 0 || votes[index] === true
      }))
      const choice = { node: "n0", members: present, absent: new Set<string>() }
      const once = Voters.choose({ ...choice, voters: [] })
      assert.deepStrictEqual(Voters.choose({ ...choice, voters: once }), once)
    },
    options
  )
})
