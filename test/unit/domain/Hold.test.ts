import { assert, describe, it } from "@effect/vitest"
import * as Hold from "../../../src/domain/Hold.ts"
import { acknowledgements, addressOf, brief, entries, holder, writeHolder } from "./notation.ts"

const one = (text: string): Hold.Entry => entries(text)[0] ?? assert.fail(text)

describe("Hold.isServed", () => {
  // oxfmt-ignore
  it.each<[string, string, string, boolean]>([
    ["by the holder's own word",                            "a@n1.2",      "a+n1.2", true],
    ["not by the word of an earlier epoch",                 "a@n1.2",      "a+n1.1", false],
    ["not by another node's word",                          "a@n1.2",      "a+n2.2", false],
    ["not by what it says of another address",              "a@n1.2",      "b+n1.2", false],
    ["not by silence",                                      "a@n1.2",      "",       false],
    ["not under v0.4, which reports nothing",               "a@n1",        "a+n1.1", false],
    ["by the grant alone where there is no interface",      "~a",          "",       true]
  ])("%s", (_, entry, acknowledged, served) => {
    assert.strictEqual(Hold.isServed(one(entry), acknowledgements(acknowledged)), served)
  })

  it("names a holder by its hold id, too: the same node under another id said nothing", () => {
    const other = acknowledgements("a+n1.2").map((each) => ({ ...each, holdId: "2.n1" }))
    assert.isFalse(Hold.isServed(one("a@n1.2"), other))
  })
})

describe("Hold.hasReleased", () => {
  // oxfmt-ignore
  it.each<[string, string, string, boolean]>([
    ["by its own word for this epoch",         "n1.2", "a-n1.2", true],
    ["not by its word for an earlier epoch",   "n1.2", "a-n1.1", false],
    ["not by its word for a later epoch",      "n1.2", "a-n1.3", false],
    ["not by saying that it serves",           "n1.2", "a+n1.2", false],
    ["not by silence",                         "n1.2", "",       false]
  ])("%s", (_, who, acknowledged, released) => {
    assert.strictEqual(Hold.hasReleased(acknowledgements(acknowledged), addressOf("a"), holder(who)), released)
  })
})

describe("Hold.awaitedOf, Hold.involvedNodes and Hold.claimedAddresses", () => {
  // oxfmt-ignore
  it.each<[string, string, string, string, string, string, string]>([
    // name                                                   entry          acknowledged      fenced  awaited      nodes       claims
    ["a holder that has not begun yet",                       "a@n1.2",      "",               "",     "n1.2",      "n1",       "a"],
    ["and the former one, until it let go",                   "a@n1.2<n2.1", "a+n1.2",         "",     "n2.1 n1.2", "n1 n2",    "a"],
    ["one that let go is awaited no more",                    "a@n1.2<n2.1", "a+n1.2 a-n2.1",  "",     "n1.2",      "n1 n2",    "a"],
    ["nor a fenced one",                                      "a@n1.2<n2.1", "a+n1.2",         "n2",   "n1.2",      "n1 n2",    "a"],
    ["a released entry awaits its former holder",             "a<n2.1",      "a+n2.1",         "",     "n2.1",      "n2",       "a"],
    ["without an interface nobody",                           "~a@n1.2",     "",               "",     "",          "",         "a"],
    ["who says it serves is involved, and claims, anyway",    "a@n1.2",      "b+n3.1",         "",     "n1.2",      "n1 n3",    "a b"]
  ])("%s", (_, text, acknowledged, fenced, awaited, nodes, claims) => {
    const entry = one(text)
    const said = acknowledgements(acknowledged)
    const isFenced = ({ node }: Hold.Holder) => fenced.split(" ").includes(node)
    assert.strictEqual(Hold.awaitedOf(entry, said, isFenced).map(writeHolder).join(" "), awaited)
    assert.strictEqual(Hold.involvedNodes([entry], said).join(" "), nodes)
    assert.strictEqual(Hold.claimedAddresses([entry], said).map(brief).join(" "), claims)
  })
})
