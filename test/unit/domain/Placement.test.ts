import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import * as Placement from "../../../src/domain/Placement.ts"
import { int, oneOf, options } from "./arbitraries.ts"

const lease: Placement.LeaseFacts = {
  renewed: true,
  fenced: false,
  candidate: true,
  interfaces: new Map([["pl0", {}]])
}

const node = (facts: Partial<Placement.NodeFacts> = {}): Placement.NodeFacts => ({
  name: "worker-1",
  labels: {},
  taints: [],
  conditions: [{ type: "Ready", status: "True" }],
  notReadySinceMillis: undefined,
  unschedulable: false,
  deleting: false,
  lease,
  ...facts
})

const demands = (some: Partial<Placement.Demands> = {}): Placement.Demands => ({
  interfaceName: "pl0",
  drainOnCordon: false,
  ignoreExcludeLabel: false,
  ...some
})

const exclude = { "node.kubernetes.io/exclude-from-external-load-balancers": "" }
const tainted = (key: string) => ({ taints: [{ key, effect: "NoExecute" }] })
const condition = (type: string, status: string) => ({
  conditions: [
    { type: "Ready", status: "True" },
    { type, status }
  ].filter((one, index) => index > 0 || one.type !== type)
})
const noInterfaces = { lease: { ...lease, interfaces: new Map() } }

describe("Placement.candidacy and Placement.mustHandOver", () => {
  // oxfmt-ignore
  it.each<[string, Partial<Placement.NodeFacts>, Partial<Placement.Demands>, ReadonlyArray<string>, ReadonlyArray<string>]>([
    // name                                                facts                                                     demands                                             new address               a holder hands over
    ["a healthy node",                                     {},                                                       {},                                                 [],                       []],
    ["the exclude label",                                  { labels: exclude },                                      {},                                                 ["Excluded"],             ["Excluded"]],
    ["the exclude label, ignored by the chart's value",    { labels: exclude },                                      { ignoreExcludeLabel: true },                       [],                       []],
    ["NetworkUnavailable",                                 condition("NetworkUnavailable", "True"),                  {},                                                 ["NetworkUnavailable"],   ["NetworkUnavailable"]],
    ["NetworkUnavailable False",                           condition("NetworkUnavailable", "False"),                 {},                                                 [],                       []],
    ["the out-of-service taint",                           tainted("node.kubernetes.io/out-of-service"),             {},                                                 ["OutOfService"],         ["OutOfService"]],
    ["the cloud provider's shutdown taint",                tainted("node.cloudprovider.kubernetes.io/shutdown"),     {},                                                 ["ShuttingDown"],         ["ShuttingDown"]],
    ["another taint: addresses are no pods",               tainted("node-role.kubernetes.io/control-plane"),         {},                                                 [],                       []],
    ["the pool's nodeSelector",                            { labels: { rack: "2" } },                                { nodeSelector: { matchLabels: { rack: "1" } } },   ["NotSelected"],          ["NotSelected"]],
    ["no such interface",                                  noInterfaces,                                             {},                                                 ["InterfaceMissing"],     ["InterfaceMissing"]],
    ["an interface that cannot hold",                      { lease: { ...lease, interfaces: new Map([["pl0", { problem: "pl0 carries the default route." }]]) } }, {}, ["InterfaceUnusable"],    ["InterfaceUnusable"]],
    ["a pool that adds no addresses needs no operator",    { lease: undefined },                                     { interfaceName: undefined },                       [],                       []],
    ["a cordon bars new addresses only",                   { unschedulable: true },                                  {},                                                 ["Cordoned"],             []],
    ["a cordon with drainOnCordon moves them, too",        { unschedulable: true },                                  { drainOnCordon: true },                            ["Cordoned"],             ["Cordoned"]],
    ["NotReady bars new addresses only",                   condition("Ready", "Unknown"),                            {},                                                 ["NotReady"],             []],
    ["a node that never said Ready",                       { conditions: [] },                                       {},                                                 ["NotReady"],             []],
    ["no operator",                                        { lease: undefined },                                     {},                                                 ["OperatorNotRegistered"], []],
    ["a lease that is not renewed is the takeover's",      { lease: { ...lease, renewed: false } },                  {},                                                 ["LeaseNotRenewed"],      []],
    ["so it is when it would be fenced, and is not",       { lease: { ...lease, renewed: false, overdue: true } },   {},                                                 ["LeaseNotRenewed"],      []],
    ["but not of what is kept on a node without a lease",  { lease: { ...lease, renewed: false, overdue: true } },   { isKept: true },                                   ["LeaseNotRenewed"],      ["LeaseNotRenewed"]],
    ["of which nothing is moved any sooner",               { lease: { ...lease, renewed: false } },                  { isKept: true },                                   ["LeaseNotRenewed"],      []],
    ["a fenced hold id",                                   { lease: { ...lease, fenced: true } },                    {},                                                 ["Fenced"],               []],
    ["an idle node, until it renews fast",                 { lease: { ...lease, candidate: false } },                {},                                                 ["NotRenewingFast"],      []],
    ["a Node that is being deleted",                       { deleting: true },                                       {},                                                 ["Deleting"],             ["Deleting"]],
    ["no ready endpoint here, but elsewhere",              {},                                                       { endpointNodes: new Set(["worker-2"]) },           ["NoReadyEndpoint"],      ["NoReadyEndpoint"]],
    ["no ready endpoint anywhere",                         {},                                                       { endpointNodes: new Set() },                       [],                       []],
    ["everything at once, each by its word",               { labels: exclude, unschedulable: true, lease: undefined }, {},                                               ["Excluded", "Cordoned", "OperatorNotRegistered"], ["Excluded"]]
  ])("%s", (_, facts, some, barred, handOver) => {
    assert.deepStrictEqual<ReadonlyArray<string>>(Placement.candidacy(node(facts), demands(some)), barred)
    assert.deepStrictEqual<ReadonlyArray<string>>(Placement.mustHandOver(node(facts), demands(some)), handOver)
  })
})

const on = (name: string, addresses: number, zone = "a"): Placement.Candidate => ({ name, zone, addresses })

describe("Placement.choose", () => {
  // oxfmt-ignore
  it.each<[string, Omit<Placement.Choice, "key">, string | undefined]>([
    ["nobody, when there is none",                                { candidates: [] },                                                       undefined],
    ["the one with the fewest addresses",                         { candidates: [on("w1", 2), on("w2", 1), on("w3", 2)] },                  "w2"],
    ["fewest addresses before the emptier zone",                  { candidates: [on("w1", 1, "a"), on("w2", 5, "a"), on("w3", 2, "b")] },   "w1"],
    ["of those the one whose zone has the fewest",                { candidates: [on("w1", 1, "a"), on("w2", 5, "a"), on("w3", 1, "b")] },   "w3"],
    ["the holder, though others have fewer: sticky",              { candidates: [on("w1", 9), on("w2", 0)], holder: "w1" },                 "w1"],
    ["another, when the holder is no candidate",                  { candidates: [on("w2", 0)], holder: "w1" },                              "w2"],
    ["the preferred node, though others have fewer",              { candidates: [on("w1", 9), on("w2", 0)], preferred: "w1" },              "w1"],
    ["another, when the preferred one is no candidate",           { candidates: [on("w2", 0)], preferred: "w1" },                           "w2"],
    ["the holder before the preferred node: a wish moves nothing", { candidates: [on("w1", 9), on("w2", 0)], holder: "w1", preferred: "w2" }, "w1"]
  ])("%s", (_, choice, chosen) => {
    assert.strictEqual(Placement.choose({ key: "u1/192.0.2.10", ...choice }), chosen)
  })

  const candidates = Arbitrary.map(
    Arbitrary.array(Arbitrary.all({ addresses: int(0, 3), zone: oneOf("a", "b", "c") }), {
      minLength: 1,
      maxLength: 8
    }),
    (all) => all.map(({ addresses, zone }, index) => on(`w${index}`, addresses, zone))
  )
  const key = Arbitrary.map(int(0, 1_000_000), (n) => `u${n}/192.0.2.10`)

  it.prop(
    "depends on the key and the facts, never on the order in which nodes are given",
    { candidates, key, rotation: int(0, 7) },
    ({ candidates, key, rotation }) => {
      const rotated = [...candidates.slice(rotation), ...candidates.slice(0, rotation)].toReversed()
      assert.strictEqual(Placement.choose({ key, candidates: rotated }), Placement.choose({ key, candidates }))
    },
    options
  )

  it.prop(
    "takes a node with the fewest addresses",
    { candidates, key },
    ({ candidates, key }) => {
      const chosen = candidates.find(({ name }) => name === Placement.choose({ key, candidates }))
      assert.strictEqual(chosen?.addresses, Math.min(...candidates.map(({ addresses }) => addresses)))
    },
    options
  )

  it.prop(
    "moves a draw only when the node that won it goes",
    { candidates, key, gone: int(0, 7) },
    ({ candidates, key, gone }) => {
      const equal = candidates.map((one) => ({ ...one, addresses: 0 }))
      const before = Placement.choose({ key, candidates: equal })
      const left = equal.filter(({ name }) => name !== `w${gone}`)
      if (before !== `w${gone}`) assert.strictEqual(Placement.choose({ key, candidates: left }), before)
    },
    options
  )

  it("draws evenly: of 3,000 keys each of three equal nodes wins within 4 standard deviations of a third", () => {
    const wins = new Map<string | undefined, number>()
    for (let n = 0; n < 3000; n++) {
      const chosen = Placement.choose({ key: `u${n}/192.0.2.10`, candidates: [on("w1", 0), on("w2", 0), on("w3", 0)] })
      wins.set(chosen, (wins.get(chosen) ?? 0) + 1)
    }
    // sqrt(3000 * 1/3 * 2/3) = 25.8
    for (const name of ["w1", "w2", "w3"]) assert.approximately(wins.get(name) ?? 0, 1000, 104)
  })
})

const named = (text: string) => text.split(" ").flatMap((name) => (name === "" ? [] : [node({ name })]))
const calls = (candidates: string, others: string, preferred?: string) =>
  Placement.callsOf({ key: "rack-1", candidates: named(candidates), others: named(others), preferred })

describe("Placement.callsOf", () => {
  // oxfmt-ignore
  it.each<[string, string, string, string | undefined, ReadonlyArray<string>]>([
    // name                                              candidates  others     preferred   called
    ["calls nobody where there is a candidate",           "a",        "b c",     undefined,  []],
    ["calls nobody where nobody could be one",            "",         "",        undefined,  []],
    ["calls all of a few where there is no candidate",    "",         "b c",     undefined,  ["b", "c"]],
    ["calls who is preferred, beside others",             "a",        "b c",     "c",        ["c"]],
    ["calls nobody when a candidate is preferred",        "a",        "b c",     "a",        []],
    ["does without one that may not hold",                "a",        "b c",     "x",        []]
  ])("%s", (_, candidates, others, preferred, called) => {
    assert.deepStrictEqual(calls(candidates, others, preferred).toSorted(), called)
  })

  it("calls eight of many, the same for the same pool", () => {
    const many = Array.from({ length: 100 }, (_, index) => `w${index}`)
    const called = calls("", many.join(" "))
    assert.lengthOf(new Set(called), 8)
    assert.deepStrictEqual(calls("", many.toReversed().join(" ")), called)
  })
})

describe("Placement.explainNone", () => {
  it("says when every node is excluded, how many, and the cure", () => {
    const nodes = ["cp-1", "cp-2", "cp-3"].map((name) => node({ name, labels: exclude }))
    assert.deepStrictEqual(Placement.explainNone("rack-1", nodes, demands()), {
      reason: "AllNodesExcluded",
      message:
        "Pool rack-1: none of 3 nodes can get an address (3 Excluded). Remove the label " +
        "node.kubernetes.io/exclude-from-external-load-balancers from a node (kubeadm and Talos put it on every " +
        "control-plane node), or set ignoreExcludeLabel to true in the chart."
    })
  })

  it("counts each reason, and cures the commonest", () => {
    const nodes = [
      node({ name: "a", unschedulable: true }),
      node({ name: "b", ...noInterfaces }),
      node({ name: "c", ...noInterfaces })
    ]
    const { reason, message } = Placement.explainNone("rack-1", nodes, demands())
    assert.strictEqual(reason, "NoCandidateNode")
    assert.include(message, "(2 InterfaceMissing, 1 Cordoned). Create the interface pl0")
  })

  it("repeats what an operator says of its interface", () => {
    const problem = "pl0 carries the default route."
    const nodes = [node({ lease: { ...lease, interfaces: new Map([["pl0", { problem }]]) } })]
    assert.include(Placement.explainNone("rack-1", nodes, demands()).message, `worker-1: ${problem}`)
  })

  it("says when there is no node at all", () => {
    assert.strictEqual(Placement.explainNone("rack-1", [], demands()).reason, "NoNode")
  })
})
