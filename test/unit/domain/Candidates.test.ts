import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import * as Candidates from "../../../src/domain/Candidates.ts"
import { boolean, int, options } from "./arbitraries.ts"

const small: Candidates.Policy = { everyNodeUpTo: 2, leastCount: 3, leastPerZone: 2, addressesPerNode: 10 }

/** `a:z` is a node with its zone, `a=4` one that holds four addresses. */
const nodesOf = (text: string): ReadonlyArray<Candidates.Node> =>
  text
    .split(" ")
    .filter((each) => each !== "")
    .map((each) => {
      const [, name = "", zone = "", held = "0"] = /^(\w+)(?::(\w+))?(?:=(\d+))?$/.exec(each) ?? []
      return { name, zone, addressesCount: Number(held) }
    })

const words = (text: string): ReadonlyArray<string> => text.split(" ").filter((each) => each !== "")

/** `a b/12` are the nodes of a pool and its addresses. */
const groupsOf = (text: string): ReadonlyArray<Candidates.Group> =>
  text.split(",").map((each) => {
    const [fit = "", count = "0"] = each.split("/")
    return { fit: new Set(words(fit)), addressesCount: Number(count), leastCount: 2 }
  })

const choose = (nodes: string, groups: string, present?: string, late = "") =>
  Candidates.choose(
    {
      nodes: nodesOf(nodes),
      present: present === undefined ? undefined : words(present),
      groups: groupsOf(groups),
      late: new Set(words(late))
    },
    small
  )

describe("Candidates.choose", () => {
  // oxfmt-ignore
  it.each<[string, string, string, string | undefined, string, string | undefined]>([
    // name                                                     nodes                     pools               present      late   chosen
    ["takes all nodes of a small cluster",                      "a b",                    "a b/0",            undefined,   "",    undefined],
    ["takes three of one zone",                                 "a b c d e",              "a b c d e/0",      undefined,   "",    "+3"],
    ["takes all of a zone that has two",                        "a:1 b:1 c:1 d:2 e:2",    "a b c d e/0",      undefined,   "",    "d e +2"],
    ["takes those first that hold something",                   "a=1 b c=2 d e",          "a b c d e/3",      undefined,   "",    "a c +1"],
    ["keeps who is chosen already",                             "a b c d e",              "a b c d e/0",      "a b c",     "",    "a b c"],
    ["keeps up to twice as many as are needed",                 "a b c d e f g",          "a b c d e f g/0",  "a b c d e f", "",  "a b c d e f"],
    ["drops what is more than that, and holds nothing",         "a b c d e f g=1",        "a b c d e f g/1",  "a b c d e f g", "", "g +5"],
    ["drops nobody who holds something",                        "a=1 b=1 c=1 d=1 e=1 f=1 g=1", "a b c d e f g/7", "a b c d e f g", "", "a b c d e f g"],
    ["replaces one that is gone",                               "a b d e",                "a b d e/0",        "a b c",     "",    "a b +1"],
    ["adds one for one that is late, which stays",              "a b c d e",              "a b c d e/0",      "a b c",     "b",   "a b c +1"],
    ["takes more for more addresses, and a quarter beyond",     "a b c d e f g",          "a b c d e f g/40", "a b c",     "",    "a b c +2"],
    ["takes two that a pool may use",                           "a b c d e",              "a b c d e/0,a c/0", "b d e",    "",    "a b c d e"],
    ["takes the only one that a pool may use",                  "a b c d e",              "b d e/0,c/0",      "b d e",     "",    "b c d e"],
    ["takes as many of a pool's nodes as it has addresses for", "a b c d e f",            "d e f/0,a b c/30", "d e f",     "",    "a b c d e f"],
    ["takes three although one alone may hold: others vote",    "a b c d",                "a/0",              undefined,   "",    "a +2"],
    ["keeps who is there when all are late",                    "a b c d",                "a b c d/0",        "a b",       "a b c d", "a b"]
  ])("%s", (_, nodes, groups, present, late, expected) => {
    const chosen = choose(nodes, groups, present, late)
    const others = /\+(\d)$/.exec(expected ?? "")?.[1]
    const named = words((expected ?? "").replace(/\+\d$/, ""))
    assert.strictEqual(chosen === undefined, expected === undefined)
    assert.includeMembers([...(chosen ?? [])], [...named])
    assert.lengthOf(chosen ?? [], named.length + Number(others ?? 0))
  })

  it("draws by the name alone, so that a node that comes or goes changes nothing for the others", () => {
    const all = "a b c d e f g h"
    const chosen = choose(all, `${all}/0`) ?? []
    const without = all.split(" ").find((name) => !chosen.includes(name)) ?? ""
    const rest = all.replace(without, "")
    assert.deepStrictEqual(choose(rest, `${rest}/0`), chosen)
  })

  it.prop(
    "changes nothing when it is asked again about what it chose, and never drops who holds something",
    {
      held: Arbitrary.array(int(0, 3), { minLength: 4, maxLength: 14 }),
      fit: Arbitrary.array(boolean, { minLength: 14, maxLength: 14 }),
      present: Arbitrary.array(boolean, { minLength: 14, maxLength: 14 })
    },
    ({ fit, held, present }) => {
      const nodes = held.map((addressesCount, index) => ({ name: `n${index}`, zone: `${index % 3}`, addressesCount }))
      const namesWhere = (isSo: ReadonlyArray<boolean>) =>
        nodes.filter((_each, index) => isSo[index]).map(({ name }) => name)
      const groups = [
        { fit: new Set(nodes.map(({ name }) => name)), addressesCount: held.reduce((a, b) => a + b, 0), leastCount: 2 },
        { fit: new Set(namesWhere(fit)), addressesCount: 0, leastCount: 2 }
      ]
      const before = namesWhere(present)
      const situation = { nodes, groups, late: new Set<string>() }
      const once = Candidates.choose({ ...situation, present: before }, small)
      assert.deepStrictEqual(Candidates.choose({ ...situation, present: once }, small), once)
      const holders = nodes.filter(({ addressesCount, name }) => addressesCount > 0 && before.includes(name))
      for (const { name } of holders) assert.include(once ?? [], name)
    },
    options
  )
})
