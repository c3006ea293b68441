import { assert, describe, it } from "@effect/vitest"
import * as Assignment from "../../../src/domain/Assignment.ts"
import { acknowledgements, entries, writeEntry } from "./notation.ts"

/** Nodes by name: `!` fenced, `-` must hand over, `?` without operator, `x` is said to be off; the first that is none of these is chosen. */
const nodesOf = (text: string): Assignment.Nodes => {
  const all = text.split(" ").map((word) => ({ name: word.slice(0, 2), marks: word.slice(2) }))
  const marksOf = (name: string) => all.find((node) => node.name === name)?.marks ?? "-"
  return {
    holdIdOf: (node) => (/[!?]/.test(marksOf(node)) ? undefined : `1.${node}`),
    isFenced: ({ node }) => marksOf(node).includes("!"),
    isOutOfService: (node) => marksOf(node).includes("x"),
    mayKeep: (node) => !marksOf(node).includes("-"),
    choose: () => all.find(({ marks }) => marks === "")?.name
  }
}

const grants = (text: string): ReadonlyArray<Assignment.Grant> =>
  entries(text).map(({ address, cloudProvider, interfaceName, pool }) => ({
    address,
    cloudProvider,
    interfaceName,
    pool
  }))

describe("Assignment.assign", () => {
  // oxfmt-ignore
  it.each<[string, string, string, string, string, string]>([
    // name                                                        grants   present         acknowledged  nodes         entries
    ["gives a new address to the node that is chosen",             "a",     "",             "",           "n1 n2",      "a@n1.9"],
    ["names nobody when no node may hold it",                      "a",     "",             "",           "n1- n2!",    "a"],
    ["leaves a holder in place, whoever is chosen by now",         "a",     "a@n2.3",       "",           "n1 n2",      "a@n2.3"],
    ["moves from one that must hand over, which must let go",      "a",     "a@n2.3",       "",           "n1 n2-",     "a@n1.9<n2.3"],
    ["leaves it there when nobody else may",                       "a",     "a@n2.3",       "",           "n1- n2-",    "a@n2.3"],
    ["replaces a fenced one without waiting",                      "a",     "a@n2.3",       "",           "n1 n2!",     "a@n1.9"],
    ["keeps naming a fenced one while no other may",               "a",     "a@n2.3",       "",           "n1- n2!",    "a@n2.3"],
    ["still waits for a former holder, whoever holds now",         "a",     "a@n2.3<n3.2",  "",           "n1 n2! n3",  "a@n1.9<n3.2"],
    ["waits no more for one that acknowledged",                    "a",     "a@n2.3<n3.2",  "a-n3.2",     "n1 n2 n3",   "a@n2.3"],
    ["still waits for one that acknowledged another epoch",        "a",     "a@n2.3<n3.2",  "a-n3.1",     "n1 n2 n3",   "a@n2.3<n3.2"],
    ["waits no more for a fenced one",                             "a",     "a@n2.3<n3.2",  "",           "n1 n2 n3!",  "a@n2.3"],
    ["waits for both when it moves twice before the first let go", "a",     "a@n2.3<n3.2",  "",           "n1 n2- n3-", "a@n1.9<n3.2<n2.3"],
    ["does not wait for the new holder itself",                    "a",     "a@n2.3<n1.2",  "",           "n1 n2-",     "a@n1.9<n2.3"],
    ["stamps what v0.4 wrote once its operator has registered",    "a",     "a@n2",         "",           "n1 n2",      "a@n2.9"],
    ["leaves what v0.4 wrote until then",                          "a",     "a@n2",         "",           "n1 n2?",     "a@n2"],
    ["also when that one must hand over",                          "a",     "a@n2",         "",           "n1 n2?-",    "a@n2"],
    ["moves it from a machine that is off, without waiting",       "a",     "a@n2",         "",           "n1 n2?x",    "a@n1.9"],
    ["but not when nobody else may",                               "a",     "a@n2",         "",           "n1- n2?x",   "a@n2"],
    ["gives a released address that is wanted again to a node",    "a",     "a<n2.3",       "",           "n1 n2",      "a@n1.9<n2.3"],
    ["and names nobody twice when that is the same node",          "a",     "a<n1.3",       "",           "n1 n2",      "a@n1.9"],
    ["names a node without hold id where there is no interface",   "~a",    "",             "",           "n1 n2",      "~a@n1"],
    ["keeps that one, too",                                        "~a",    "~a@n2",        "",           "n1 n2",      "~a@n2"],
    ["decides each address by itself",                             "a b",   "b@n2.3",       "",           "n1 n2",      "a@n1.9 b@n2.3"],
    ["drops what is not granted any more",                         "a",     "a@n1.3 b@n1.3", "",          "n1 n2",      "a@n1.3"]
  ])("%s", (_, granted, present, acknowledged, nodes, expected) => {
    const said = acknowledgements(acknowledged)
    const context = { nodes: nodesOf(nodes), acknowledgements: said, isShown: () => true, isRoutedThere: () => false, nextEpoch: 9 }
    const assigned = Assignment.assign(grants(granted), entries(present), context)
    assert.strictEqual(assigned.map(writeEntry).join(" "), expected)
    const again = Assignment.assign(grants(granted), assigned, { ...context, nextEpoch: 10 })
    assert.strictEqual(again.map(writeEntry).join(" "), expected, "decided again, it changes nothing")
  })
})

describe("Assignment.assign, whether the network is to be asked before the first use", () => {
  // oxfmt-ignore
  it.each<[string, string, string, string, string, boolean, string]>([
    // name                                                      grants  present      acknowledged nodes      shown  entries
    ["yes, of what nobody had",                                  "a",    "",          "",          "n1 n2",   false, "?a@n1.9"],
    ["still, while nobody has served it",                        "a",    "?a@n1.3",   "",          "n1 n2",   false, "?a@n1.3"],
    ["the mark stays after that: taking it off alone is no write", "a",  "?a@n1.3",   "a+n1.3",    "n1 n2",   true,  "?a@n1.3"],
    ["not by who takes over what was served",                    "a",    "?a@n2.3",   "a+n2.3",    "n1 n2!",  false, "=a@n1.9"],
    ["nor what the Service shows, whatever became of the report", "a",   "?a@n2.3",   "",          "n1 n2!",  true,  "a@n1.9"],
    ["again by the next, when the first did not come to it",     "a",    "?a@n2.3",   "",          "n1 n2!",  false, "?a@n1.9"],
    ["again by the next, when the first found it in use",        "a",    "?a@n2.3",   "a*n2.3",    "n1 n2-",  false, "?a@n1.9<n2.3"],
    ["not by who is given what v0.4 serves",                     "a",    "a@n2",      "",          "n1 n2",   false, "a@n2.9"],
    ["not of what a provider routes",                            "^a",   "",          "",          "n1 n2",   false, "^a@n1.9"],
    ["not where no node has it on an interface",                 "~a",   "",          "",          "n1 n2",   false, "~a@n1"]
  ])("%s", (_, granted, present, acknowledged, nodes, isShown, expected) => {
    const said = acknowledgements(acknowledged)
    const shown = { isShown: () => isShown, isRoutedThere: () => false, nextEpoch: 9 }
    const context = { nodes: nodesOf(nodes), acknowledgements: said, ...shown }
    const assigned = Assignment.assign(grants(granted), entries(present), context)
    assert.strictEqual(assigned.map(writeEntry).join(" "), expected)
  })
})

describe("Assignment.assign, whether the next holder is to ask who else claims it", () => {
  // oxfmt-ignore
  it.each<[string, string, string, string, string]>([
    // name                                                     present        acknowledged     nodes        entries
    ["not when the one before has said that it serves",         "a@n2.3",      "a+n2.3",        "n1 n2!",    "=a@n1.9"],
    ["nor when that one is to let go in peace",                 "a@n2.3",      "a+n2.3",        "n1 n2-",    "=a@n1.9<n2.3"],
    ["nor by the one after, which the next has not served",     "=a@n2.3<n3.2", "a+n3.2",       "n1 n2! n3", "=a@n1.9<n3.2"],
    ["nor once no node could hold it for a while",              "=a<n2.3",     "",              "n1 n2",     "=a@n1.9<n2.3"],
    ["yes, when the one before has said nothing",               "a@n2.3",      "",              "n1 n2!",    "a@n1.9"],
    ["yes, when it has said so of another epoch",               "a@n2.3",      "a+n2.2",        "n1 n2!",    "a@n1.9"],
    ["yes, when a node before has, and its successor has not",  "a@n2.3<n3.2", "a+n3.2",        "n1 n2! n3!", "a@n1.9"],
    ["yes, of what stood where no operator serves",             "~a@n2",       "",              "n1 n2",     "a@n2.9"],
    ["yes, of what waited for a node where no operator serves", "~a",          "",              "n1 n2",     "a@n1.9"],
    ["yes, of what v0.4 serves, which asked nobody",            "a@n2",        "",              "n1 n2",     "a@n2.9"],
    ["the holder stays, and nothing is written for it",         "a@n2.3",      "a+n2.3",        "n1 n2",     "a@n2.3"],
    ["nor is the mark taken off",                               "=a@n2.3",     "a+n2.3",        "n1 n2",     "=a@n2.3"],
    ["it outlasts that no node may hold the address",           "=a<n2.3",     "",              "",          "=a<n2.3"]
  ])("%s", (_, present, acknowledged, nodes, expected) => {
    const said = acknowledgements(acknowledged)
    const context = { nodes: nodesOf(nodes), acknowledgements: said, isShown: () => true, isRoutedThere: () => false, nextEpoch: 9 }
    const assigned = Assignment.assign(grants("a"), entries(present), context)
    assert.strictEqual(assigned.map(writeEntry).join(" "), expected)
  })
})

describe("Assignment.trustsShown, whether nothing but the status of the Service says that an address is ours", () => {
  // oxfmt-ignore
  it.each<[string, string, string, string, boolean]>([
    // name                                                        entry       present      acknowledged  trusted
    ["yes, when it is granted and nobody is to ask for it",        "a@n1.9",   "",          "",           true],
    ["yes, when no node had it yet",                               "a@n1.9",   "a",         "",           true],
    ["yes, when the one before was to ask and said nothing",       "a@n1.9",   "?a@n2.3",   "",           true],
    ["not when that one served it: a takeover must not wait",      "a@n1.9",   "?a@n2.3",   "a+n2.3",     false],
    ["nor when it was served before no node could hold it",        "=a@n1.9",  "=a",        "",           false],
    ["not when it is moved from one that need not ask",            "a@n1.9",   "a@n2.3",    "",           false],
    ["not when it is given what v0.4 serves",                      "a@n2.9",   "a@n2",      "",           false],
    ["not when its holder asks",                                   "?a@n1.9",  "",          "",           false],
    ["not when no node may hold it",                               "a",        "",          "",           false],
    ["not of what a provider routes",                              "^a@n1.9",  "",          "",           false]
  ])("%s", (_, text, present, acknowledged, expected) => {
    const trusted = entries(text).map((entry) =>
      Assignment.trustsShown(entry, entries(present)[0], acknowledgements(acknowledged))
    )
    assert.deepStrictEqual(trusted, [expected])
  })
})

describe("Assignment.assign, in a cloud", () => {
  // oxfmt-ignore
  it.each<[string, string, string, string, boolean, string]>([
    // name                                                    present             acknowledged     nodes     routed  entries
    ["names who serves on while the next one begins",          "^a@n2.3",          "a+n2.3",        "n1 n2-", true,  "^=a@n1.9<n2.3"],
    ["and while the route is elsewhere",                       "^a@n1.9<n2.3",     "a+n1.9 a+n2.3", "n1 n2-", false, "^a@n1.9<n2.3"],
    ["and while the next one does not serve, whatever the route", "^a@n1.9<n2.3",  "a+n2.3",        "n1 n2-", true,  "^a@n1.9<n2.3"],
    ["names it no more once the route has moved",              "^a@n1.9<n2.3",     "a+n1.9 a+n2.3", "n1 n2-", true,  "^a@n1.9"],
    ["nor when it is fenced",                                  "^a@n1.9<n2.3",     "a+n1.9",        "n1 n2!", false, "^a@n1.9"],
    ["names it still when the next one dies before that",      "^a@n1.8<n2.3",     "a+n2.3",        "n1! n2- n3", false, "^a@n3.9<n2.3"]
  ])("%s", (_, present, acknowledged, nodes, isRouted, expected) => {
    const said = acknowledgements(acknowledged)
    const context = { nodes: nodesOf(nodes), acknowledgements: said, isShown: () => false, isRoutedThere: () => isRouted, nextEpoch: 9 }
    const assigned = Assignment.assign(grants("^a"), entries(present), context)
    assert.strictEqual(assigned.map(writeEntry).join(" "), expected)
  })
})
