import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import * as Witness from "../../../src/domain/Witness.ts"
import { int, oneOf, options } from "./arbitraries.ts"

const list = (text: string): ReadonlyArray<string> => text.split(" ").filter((each) => each !== "")
const set = (text: string): ReadonlySet<string> => new Set(list(text))

describe("evidence", () => {
  // oxfmt-ignore
  it.each([
    // name                                                     lists                     vouching     kept
    ["a node that is alone always keeps (R12)",                  ["a"],                    "a",         true],
    ["of two, both must have lost it",                           ["a b"],                  "a",         false],
    ["of two, both have lost it",                                ["a b"],                  "a b",       true],
    ["of three, one other is enough",                            ["a b c"],                "a c",       true],
    ["of four, two are no strict majority",                      ["a b c d"],              "a b",       false],
    ["of four, three are",                                       ["a b c d"],              "a b d",     true],
    ["who is not on the list does not count",                    ["a b c"],                "a x y",     false],
    ["without a list nothing is kept",                           [""],                     "a b c",     false],
    ["without any list nothing is kept",                         [],                       "a b c",     false],
    ["a list on its way must agree, too",                        ["a b c", "a b d"],       "a c",       false],
    ["a list on its way agrees",                                 ["a b c", "a b d"],       "a b",       true],
    ["every list on its way must agree",                         ["a b c", "a b d", "a e"], "a b",      false],
    ["a list that is being withdrawn keeps nothing",             ["a b c", ""],            "a b c",     false]
  ])("%s", (_, lists, vouching, kept) => {
    assert.strictEqual(Witness.isKept(lists.map(list), set(vouching)), kept)
  })
})

describe("promises", () => {
  // oxfmt-ignore
  it.each([
    // name                                                       voters          promising    promised
    ["a node that names nobody needs none",                        "",             "",          true],
    ["a node that is alone is never taken over",                   "a",            "b c d",     false],
    ["of two, the other must promise",                             "a b",          "",          false],
    ["of two, the other promises",                                 "a b",          "b",         true],
    ["of three, both others must promise",                         "a b c",        "b",         false],
    ["of three, both others promise",                              "a b c",        "b c",       true],
    ["of four, one may be dead as well",                           "a b c d",      "b d",       true],
    ["of seven, four must promise",                                "a b c d e f g", "b c d",    false],
    ["of seven, two may be dead as well",                          "a b c d e f g", "b c d e",  true],
    ["its own promise does not count",                             "a b",          "a",         false],
    ["who is not on the list does not count",                      "a b c",        "b x y",     false]
  ])("%s", (_, voters, promising, promised) => {
    assert.strictEqual(Witness.isPromised(list(voters), "a", set(promising)), promised)
  })

  it.each([
    [6500, 6500, 6500],
    [6500, 60_000, 60_000],
    [6500, 3100, 6500]
  ])("with an L of %i and %i announced nobody may have vouched for %i", (own, announced, silence) => {
    assert.strictEqual(Witness.silenceMillis(own, announced), silence)
  })
})

describe("what a voter remembers", () => {
  const memory = Witness.vouch(Witness.newMemory(1000), "1.a", 5000)

  // oxfmt-ignore
  it.each([
    // name                                                       hold id  within    at         not vouched
    ["it vouched a moment ago",                                    "1.a",   6500,     11_499,    false],
    ["it vouched long enough ago",                                 "1.a",   6500,     11_500,    true],
    ["of another id it knows since its start only",                "2.b",   6500,     7499,      false],
    ["of another id it knows for long enough",                     "2.b",   6500,     7500,      true],
    ["more than it remembers it does not say",                     "2.b",   600_001,  9_000_000, false]
  ])("for a time: %s", (_, holdId, within, at, expected) => {
    assert.strictEqual(Witness.hasNotVouchedFor(memory, holdId, within, at), expected)
  })

  // oxfmt-ignore
  it.each([
    ["it vouched before",                "1.a", 5001, true],
    ["it vouched in the same moment",    "1.a", 5000, false],
    ["it vouched since",                 "1.a", 4000, false],
    ["of an id that it never vouched for", "2.b", 1001, true],
    ["it started since",                 "2.b", 900,  false]
  ])("since an answer: %s", (_, holdId, since, expected) => {
    assert.strictEqual(Witness.hasNotVouchedSince(memory, holdId, since), expected)
  })

  it("forgets only what it would not say anyhow", () => {
    const later = Witness.vouch(memory, "2.b", 606_000)
    assert.deepStrictEqual([...later.vouchedMillis.keys()], ["2.b"])
    assert.isTrue(Witness.hasNotVouchedFor(later, "1.a", 600_000, 606_000))
  })
})

const least = (enough: (count: number) => boolean) => [0, 1, 2, 3, 4, 5, 6, 7].find(enough) ?? 8

describe("kept and taken over", () => {
  it.prop(
    "are never true together, whoever says what and whoever is dead (R12)",
    { size: int(1, 7), says: Arbitrary.array(oneOf("lost", "promises", "nothing"), { minLength: 7, maxLength: 7 }) },
    ({ says, size }) => {
      const voters = Array.from({ length: size }, (_, index) => `v${index}`)
      const saying = (what: string) => voters.filter((voter, index) => voter !== "v0" && says[index] === what)
      const isKept = Witness.isKept([voters], new Set(["v0", ...saying("lost")]))
      const isTaken = Witness.isPromised(voters, "v0", new Set(saying("promises")))
      assert.isFalse(isKept && isTaken)
    },
    options
  )

  it.each([1, 2, 3, 4, 5, 6, 7])("need one more of the others than there are, of %i", (size) => {
    const voters = Array.from({ length: size }, (_, index) => `v${index}`)
    const some = (count: number) => voters.slice(1, 1 + count)
    const evidence = least((count) => Witness.isKept([voters], new Set(["v0", ...some(count)])))
    assert.strictEqual(evidence + Witness.promisesNeeded(voters), size)
  })
})

/**
 * The protocol as a game over time: a node that extends what has not run out, voters that vouch, restart and promise, and a
 * leader that asks them one after the other. X = 5 s, V = 6.5 s; the node last renewed at 0, and the leader begins at L.
 */
describe("a takeover", () => {
  const X = 5000
  const V = 6500
  const step = Arbitrary.all({
    what: oneOf("evidence", "evidence", "evidence", "promise", "promise", "confirm and fence", "restart", "drop"),
    voter: int(0, 2),
    after: int(300, 2500)
  })

  class Game {
    readonly others: ReadonlyArray<string>
    readonly memories: Map<string, Witness.Memory>
    promised = new Map<string, number>()
    untilMillis = X
    isFenced = false

    constructor(size: number) {
      this.others = Array.from({ length: size - 1 }, (_, index) => `v${index + 1}`)
      this.memories = new Map(this.others.map((voter) => [voter, Witness.newMemory(-60_000)]))
    }

    private get voters(): ReadonlyArray<string> {
      return ["v0", ...this.others]
    }

    memoryOf(voter: string): Witness.Memory {
      return this.memories.get(voter) ?? Witness.newMemory(0)
    }

    /** As few vouch as may be enough, beginning with the one that is drawn. */
    gatherEvidence(drawn: number, now: number): void {
      const enough = Math.floor(this.voters.length / 2)
      const some = [...this.others.slice(drawn), ...this.others.slice(0, drawn)].slice(0, enough)
      for (const voter of some) this.memories.set(voter, Witness.vouch(this.memoryOf(voter), "1.a", now))
      if (now >= this.untilMillis || !Witness.isKept([this.voters], new Set(["v0", ...some]))) return
      assert.isFalse(this.isFenced, "it goes on after it was fenced")
      this.untilMillis = now + X
    }

    promise(voter: string, now: number): void {
      const isQuiet = now >= V && Witness.hasNotVouchedFor(this.memoryOf(voter), "1.a", V, now)
      if (isQuiet && !this.isPromised(this.promised.keys())) this.promised.set(voter, now)
    }

    confirmAndFence(now: number): void {
      if (!this.isPromised(this.promised.keys())) return
      const confirmed = [...this.promised].filter(([voter, since]) =>
        Witness.hasNotVouchedSince(this.memoryOf(voter), "1.a", since)
      )
      this.promised = new Map()
      if (!this.isPromised(confirmed.map(([voter]) => voter))) return
      assert.isAtMost(this.untilMillis, now, "it serves while it is fenced")
      this.isFenced = true
    }

    restart(voter: string, now: number): void {
      this.memories.set(voter, Witness.newMemory(now))
      // Another process, which did not give the first answer.
      this.promised.delete(voter)
    }

    private isPromised(promising: Iterable<string>): boolean {
      return Witness.isPromised(this.voters, "v0", new Set(promising))
    }
  }

  it.prop(
    "never finds the node still serving, nor able to go on",
    { size: int(2, 4), steps: Arbitrary.array(step, { minLength: 10, maxLength: 40 }) },
    ({ size, steps }) => {
      const game = new Game(size)
      let now = 0
      for (const { after, voter, what } of steps) {
        now += after
        const drawn = voter % game.others.length
        const other = game.others[drawn] ?? ""
        if (what === "evidence") game.gatherEvidence(drawn, now)
        else if (what === "promise") game.promise(other, now)
        else if (what === "confirm and fence") game.confirmAndFence(now)
        else if (what === "restart") game.restart(other, now)
        else game.promised = new Map()
      }
    },
    { arbitrary: { ...options.arbitrary, runs: 20_000 } }
  )
})
