import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import * as Hold from "../../../src/domain/Hold.ts"
import * as Plan from "../../../src/domain/Plan.ts"
import type * as PlanInput from "../../../src/domain/PlanInput.ts"
import { address, boolean, int, oneOf, options } from "./arbitraries.ts"
import { acknowledgements, addresses, addressOf, brief, entries, holder } from "./notation.ts"

const report = (state: string): PlanInput.Report => ({ state, message: "" })

const allocationOf = (some: Partial<PlanInput.ObservedAllocation>): PlanInput.ObservedAllocation => ({
  uid: "ipa",
  serviceUid: "web",
  deleting: false,
  hasFinalizer: true,
  isFindable: true,
  type: "persistent",
  entries: [],
  intents: [],
  acknowledgements: [],
  wellFormed: true,
  report: report("success"),
  ...some
})

const serviceOf = (shown: string, some: Partial<PlanInput.ObservedService> = {}): PlanInput.ObservedService => ({
  uid: "web",
  ours: true,
  shown: addresses(shown),
  shownAsWritten: true,
  finding: undefined,
  ...some
})

const wantedOf = (text: string, withdrawn = ""): PlanInput.Wanted => ({
  type: "persistent",
  entries: entries(text),
  purchases: [],
  withdrawn: addresses(withdrawn),
  report: report("success"),
  lack: undefined
})

const observedOf = (
  service: PlanInput.ObservedService | undefined,
  allocation: PlanInput.ObservedAllocation | undefined,
  fenced = ""
): PlanInput.Observed => ({
  service,
  allocation,
  isFenced: ({ node }) => fenced.split(" ").includes(node),
  routeOf: () => "inPlace",
  nameToSet: () => undefined
})

const rendered = (wanted: PlanInput.Wanted, observed: PlanInput.Observed) =>
  Plan.plan(wanted, observed).map((change) => brief(Plan.render(change)))

describe("Plan.plan, for a Service that is ours", () => {
  // oxfmt-ignore
  it.each<[string, string, string, string, string, string, ReadonlyArray<string>]>([
    // name                                                    wanted           entries              acknowledged       shown   fenced  changes
    ["shows nothing before it is served (S4)",                 "a@n1.1",        "a@n1.1",            "",                "",     "",     []],
    ["shows what is served",                                   "a@n1.1",        "a@n1.1",            "a+n1.1",          "",     "",     ["show [a]"]],
    ["writes nothing once it is settled (S11)",                "a@n1.1",        "a@n1.1",            "a+n1.1",          "a",    "",     []],
    ["takes no other epoch's word for it",                     "a@n1.2",        "a@n1.2",            "a+n1.1",          "",     "",     []],
    ["leaves the status alone while the address moves",        "a@n2.2<n1.1",   "a@n1.1",            "a+n1.1",          "a",    "",     ["assign [a@n2/2 after n1/1]"]],
    ["leaves the status alone while nobody serves it",         "a@n2.2",        "a@n2.2<n1.1",       "a-n1.1",          "a",    "",     ["assign [a@n2/2]"]],
    ["keeps the old address until the new one is served",      "b@n1.2",        "a@n1.1",            "a+n1.1",          "a",    "",     ["assign [b@n1/2, a@n1/1]"]],
    ["and shows both once both are",                           "b@n1.2",        "b@n1.2 a@n1.1",     "a+n1.1",          "a",    "",     []],
    ["hides an address before it releases it (S4)",            "b@n1.2",        "b@n1.2 a@n1.1",     "a+n1.1 b+n1.2",   "a",    "",     ["show [b]", "assign [b@n1/2, a after n1/1]"]],
    ["keeps a released entry until its holder let go (S14)",   "b@n1.2",        "b@n1.2 a<n1.1",     "a+n1.1 b+n1.2",   "b",    "",     []],
    ["and drops it then",                                      "b@n1.2",        "b@n1.2 a<n1.1",     "a-n1.1 b+n1.2",   "b",    "",     ["assign [b@n1/2]"]],
    ["or when its holder is fenced",                           "b@n2.2",        "b@n2.2 a<n1.1",     "a+n1.1 b+n2.2",   "b",    "n1",   ["assign [b@n2/2]"]],
    ["awaits former holders of a released entry, too",         "",              "a@n2.2<n1.1",       "a-n2.2",          "",     "",     ["assign [a after n1/1]"]],
    ["releases at once what never had an interface",           "~b",            "~a ~b",             "",                "b",    "",     ["assign [b]"]],
    ["serves without a node where there is no interface",      "~a",            "~a",                "",                "",     "",     ["show [a]"]]
  ])("%s", (_, wanted, present, acknowledged, shown, fenced, changes) => {
    const allocation = allocationOf({ entries: entries(present), acknowledgements: acknowledgements(acknowledged) })
    assert.deepStrictEqual(rendered(wantedOf(wanted), observedOf(serviceOf(shown), allocation, fenced)), changes)
  })

  it("takes a withdrawn address away at once, although its successor is not served yet", () => {
    const allocation = allocationOf({ entries: entries("a@n1.1"), acknowledgements: acknowledgements("a+n1.1") })
    assert.deepStrictEqual(rendered(wantedOf("b@n1.2", "a"), observedOf(serviceOf("a"), allocation)), [
      "show []",
      "assign [b@n1/2, a after n1/1]"
    ])
  })

  it("commits the grant before anything else (S6)", () => {
    assert.deepStrictEqual(rendered(wantedOf("a@n1.1"), observedOf(serviceOf(""), undefined)), [
      "create persistent [a@n1/1]"
    ])
  })

  it("rewrites a status of its own addresses that another wrote otherwise", () => {
    const allocation = allocationOf({ entries: entries("a@n1.1"), acknowledgements: acknowledgements("a+n1.1") })
    const service = serviceOf("a", { shownAsWritten: false })
    assert.deepStrictEqual(rendered(wantedOf("a@n1.1"), observedOf(service, allocation)), ["show [a]"])
  })

  it("repairs labels, finalizer and owner with the entries as they are", () => {
    const allocation = allocationOf({ entries: entries("a@n1.1"), wellFormed: false })
    assert.deepStrictEqual(rendered(wantedOf("a@n1.1"), observedOf(serviceOf(""), allocation)), ["assign [a@n1/1]"])
  })

  it("tells users last", () => {
    const allocation = allocationOf({
      entries: entries("a@n1.1"),
      acknowledgements: acknowledgements("a+n1.1"),
      report: report("pending")
    })
    assert.deepStrictEqual(rendered(wantedOf("a@n1.1"), observedOf(serviceOf(""), allocation)), [
      "show [a]",
      "report success: "
    ])
  })
})

describe("Plan.plan, for what a Service says of itself", () => {
  const lack: PlanInput.Lack = { reason: "NoPool", message: "why" }
  const waits: PlanInput.Finding = { status: "False", ...lack }
  const served: PlanInput.Finding = {
    status: "True",
    reason: "AddressServed",
    message: "Every address that it asks for is served."
  }
  // oxfmt-ignore
  it.each<[string, PlanInput.Finding | undefined, PlanInput.Lack | undefined, string, ReadonlyArray<string>]>([
    // name                                                         says                      lacks                       state      changes
    ["nothing when it is served at once",                           undefined,                undefined,                  "success", []],
    ["nothing while it only waits for its node",                    undefined,                undefined,                  "pending", []],
    ["what it lacks",                                               undefined,                lack,                       "pending", ["condition False NoPool: why"]],
    ["once, while that is so",                                      waits,                    lack,                       "pending", []],
    ["what it lacks now",                                           waits,                    { ...lack, message: "no" }, "pending", ["condition False NoPool: no"]],
    ["that its node is awaited, once nothing else is",              waits,                    undefined,                  "pending", ["condition False WaitingForNode: "]],
    ["that it is served after all",                                 waits,                    undefined,                  "success", ["condition True AddressServed: Every address that it asks for is served."]],
    ["so once",                                                     served,                   undefined,                  "success", []],
    ["nothing while it moves to another node",                      served,                   undefined,                  "pending", []],
    ["that it lacks something again",                               served,                   lack,                       "pending", ["condition False NoPool: why"]],
    ["the same again when somebody else made Unknown of it",        { ...waits, status: "Unknown" }, lack,                "pending", ["condition False NoPool: why"]]
  ])("%s", (_, finding, lacks, state, changes) => {
    const wanted = { ...wantedOf("a@n1.1"), lack: lacks, report: report(state) }
    const allocation = allocationOf({ entries: entries("a@n1.1"), report: report(state) })
    assert.deepStrictEqual(rendered(wanted, observedOf(serviceOf("", { finding }), allocation)), changes)
  })

  it("nothing any more when it is not ours, after everything else", () => {
    const left = serviceOf("a", { ours: false, finding: waits })
    const allocation = allocationOf({ entries: entries("a@n1.1"), acknowledgements: acknowledgements("a+n1.1") })
    assert.deepStrictEqual(rendered(wantedOf(""), observedOf(left, allocation)), ["show []", "delete", "condition off"])
    assert.deepStrictEqual(rendered(wantedOf(""), observedOf(left, undefined)), ["condition off"])
  })
})

describe("Plan.plan, for a Service that is gone, not ours any more, or another of the same name", () => {
  const gone = undefined
  const foreign = serviceOf("a x", { ours: false })
  // oxfmt-ignore
  it.each<[string, PlanInput.ObservedService | undefined, Partial<PlanInput.ObservedAllocation> | undefined, string, string, string, ReadonlyArray<string>]>([
    // name                                               service                          allocation             entries         acknowledged   fenced  changes
    ["does nothing where there is nothing",               gone,                            undefined,             "",             "",            "",     []],
    ["asks for the deletion, and waits",                  gone,                            {},                    "a@n1.1",       "a+n1.1",      "",     ["delete"]],
    ["waits while somebody serves (S7)",                  gone,                            { deleting: true },    "a@n1.1",       "a+n1.1",      "",     []],
    ["waits for a holder that has said nothing (S7)",     gone,                            { deleting: true },    "a@n1.1",       "",            "",     []],
    ["waits for former holders, too",                     gone,                            { deleting: true },    "a@n2.2<n1.1",  "a-n2.2",      "",     []],
    ["takes the finalizer off when all have let go",      gone,                            { deleting: true },    "a@n2.2<n1.1",  "a-n2.2 a-n1.1", "",   ["finalize"]],
    ["does not wait for the fenced",                      gone,                            { deleting: true },    "a@n1.1",       "a+n1.1",      "n1",   ["finalize"]],
    ["lets its holders find what they are to let go of",  gone,                            { deleting: true, isFindable: false }, "a@n1.1", "a+n1.1", "", ["label"]],
    ["needs to be found by nobody who has let go",        gone,                            { deleting: true, isFindable: false }, "a@n1.1", "a-n1.1", "", ["finalize"]],
    ["is not labelled before it is deleted",              gone,                            { isFindable: false },  "a@n1.1",       "a+n1.1",      "",     ["delete"]],
    ["leaves an object alone that has no finalizer of ours", gone,                         { deleting: true, hasFinalizer: false }, "a@n1.1", "a-n1.1", "", []],
    ["takes only its own addresses from the status",      foreign,                         {},                    "a@n1.1",       "a+n1.1",      "",     ["show [x]", "delete"]],
    ["clears up after the predecessor first (uid)",       serviceOf("", { uid: "other" }), {},                    "a@n1.1",       "a+n1.1",      "",     ["delete"]],
    ["creates nothing beside one that is being deleted",  serviceOf("a"),                  { deleting: true },    "a@n1.1",       "a+n1.1",      "",     ["show []"]]
  ])("%s", (_, service, some, present, acknowledged, fenced, changes) => {
    const allocation =
      some === undefined
        ? undefined
        : allocationOf({ ...some, entries: entries(present), acknowledgements: acknowledgements(acknowledged) })
    assert.deepStrictEqual(rendered(wantedOf("a@n1.1"), observedOf(service, allocation, fenced)), changes)
  })
})

describe("Plan.plan, for an address of a cloud that is to have a name", () => {
  it.each<[string, PlanInput.Route, string | undefined, ReadonlyArray<string>]>([
    ["sets it once it is routed", "inPlace", "mail.example.com", ["name a mail.example.com"]],
    ["sets nothing that is not asked for, or is there", "inPlace", undefined, []],
    ["sets nothing before it is routed", "unknown", "mail.example.com", []]
  ])("%s", (_, route, name, expected) => {
    const allocation = allocationOf({ entries: entries("^a@n1.1"), acknowledgements: acknowledgements("a+n1.1") })
    const observed = { ...observedOf(serviceOf("a"), allocation), routeOf: () => route, nameToSet: () => name }
    const changes = rendered({ ...wantedOf(""), entries: entries("^a@n1.1") }, observed)
    assert.deepStrictEqual(
      changes.filter((each) => each.startsWith("name")),
      expected
    )
  })
})

describe("Plan.plan, for an address of a cloud beside one that is to be bought", () => {
  it("asks for the route first, which what is served may need", () => {
    const intent = { pool: "cloud", family: "IPv6", cloudProvider: "hetzner" } as const
    const allocation = allocationOf({
      entries: entries("^a@n1.1"),
      intents: [intent],
      acknowledgements: acknowledgements("a+n1.1")
    })
    const observed = { ...observedOf(serviceOf("a"), allocation), routeOf: () => "elsewhere" as const }
    const wanted = { ...wantedOf(""), entries: entries("^a@n1.1"), purchases: [{ intent, location: "fsn1" }] }
    const asked = rendered(wanted, observed).filter((each) => /^(route|buy)/.test(each))
    assert.deepStrictEqual(asked, ["route a@n1/1", "buy one IPv6 of cloud"])
  })
})

/** What the world is after the change; operators do nothing meanwhile. */
const after = (observed: PlanInput.Observed, change: Plan.Change): PlanInput.Observed => {
  const { allocation, service } = observed
  switch (change._tag) {
    case "Create":
      return {
        ...observed,
        allocation: allocationOf({
          type: change.type,
          entries: change.entries,
          intents: change.intents,
          report: report("")
        })
      }
    case "Assign":
      return {
        ...observed,
        allocation: allocationOf({
          ...allocation,
          type: change.type,
          entries: change.entries,
          intents: change.intents,
          wellFormed: true
        })
      }
    case "Return":
      return {
        ...observed,
        allocation: allocationOf({
          ...allocation,
          entries: allocation?.entries.filter((entry) => !change.entries.includes(entry)) ?? [],
          intents: allocation?.intents.filter((intent) => !change.intents.includes(intent)) ?? []
        })
      }
    case "Route":
      return { ...observed, routeOf: (entry) => (entry === change.entry ? "inPlace" : observed.routeOf(entry)) }
    case "Buy":
      return observed
    case "Name":
      return { ...observed, nameToSet: () => undefined }
    case "Show":
      return {
        ...observed,
        service: service === undefined ? undefined : { ...service, shown: change.addresses, shownAsWritten: true }
      }
    case "Delete":
      return { ...observed, allocation: allocationOf({ ...allocation, deleting: true }) }
    case "Label":
      return { ...observed, allocation: allocationOf({ ...allocation, isFindable: true }) }
    case "Finalize":
      return { ...observed, allocation: undefined }
    case "Report":
      return { ...observed, allocation: allocationOf({ ...allocation, report: change.report }) }
    case "Condition":
      return { ...observed, service: service === undefined ? undefined : { ...service, finding: change.finding } }
  }
}

const held = (net: number, count: number, epoch: number): ReadonlyArray<Hold.Entry> =>
  Array.from({ length: count }, (_, index) => ({
    ...holder(`n1.${epoch}`),
    address: address(`192.0.${net}.${index}`),
    pool: "rack-1",
    interfaceName: "pl0",
    previous: []
  }))
/** Operators say of each entry what it asks of them. */
const acknowledged = (entries: ReadonlyArray<Hold.Entry>): ReadonlyArray<Hold.Acknowledgement> =>
  entries.flatMap(({ address, epoch, holdId, node, previous }) => [
    ...(node === undefined || holdId === undefined || epoch === undefined
      ? []
      : [{ address, node, holdId, epoch, phase: "Serving" as const }]),
    ...previous.map((each) => ({ ...each, address, phase: "Released" as const }))
  ])

describe("Plan.plan, for a Service that replaces more addresses than its list has room for", () => {
  it.each([
    [200, 200],
    [57, 200],
    [200, 57],
    [200, 56]
  ])("comes from %i to %i in lists that the API server takes, and always shows some", (from, to) => {
    const old = held(2, from, 1)
    const wanted = { ...wantedOf(""), entries: held(3, to, 2) }
    const allocation = allocationOf({ entries: old, acknowledgements: acknowledged(old) })
    const service = { ...serviceOf(""), shown: old.map(({ address }) => address) }
    let observed = observedOf(service, allocation)
    const lengths: Array<number> = []
    const shown: Array<number> = []
    for (let [change] = Plan.plan(wanted, observed); change !== undefined; [change] = Plan.plan(wanted, observed)) {
      const next = after(observed, change)
      const entries = next.allocation?.entries ?? []
      observed = {
        ...next,
        allocation: allocationOf({ ...next.allocation, acknowledgements: acknowledged(entries) })
      }
      lengths.push(entries.length)
      shown.push(observed.service?.shown.length ?? 0)
      assert.isBelow(lengths.length, 20)
    }
    assert.deepStrictEqual(observed.allocation?.entries, wanted.entries)
    assert.deepStrictEqual(
      observed.service?.shown,
      wanted.entries.map(({ address }) => address)
    )
    assert.isAtMost(Math.max(...lengths), Hold.ENTRIES_MAX)
    assert.isAbove(Math.min(...shown), 0)
  })
})

const letter = oneOf("a", "b", "c")
const someHolder = Arbitrary.map(Arbitrary.all({ node: oneOf("n1", "n2", "n3"), epoch: int(1, 3) }), (held) => ({
  ...held,
  holdId: `1.${held.node}`
}))
const someEntry = Arbitrary.map(
  Arbitrary.all({ letter, held: boolean, holder: someHolder, previous: Arbitrary.array(someHolder, { maxLength: 2 }) }),
  ({ held, holder, letter, previous }): Hold.Entry => {
    const base = { address: addressOf(letter), pool: "rack-1", interfaceName: "pl0", previous }
    return held ? { ...base, ...holder } : base
  }
)
const distinct = (all: ReadonlyArray<Hold.Entry>) => [...new Map(all.map((entry) => [entry.address, entry])).values()]
const someEntries = Arbitrary.map(Arbitrary.array(someEntry, { maxLength: 3 }), distinct)
const someAcknowledgement = Arbitrary.map(
  Arbitrary.all({ letter, holder: someHolder, serving: boolean }),
  ({ holder, letter, serving }): Hold.Acknowledgement => ({
    ...holder,
    address: addressOf(letter),
    phase: serving ? "Serving" : "Released"
  })
)
const someObserved = Arbitrary.map(
  Arbitrary.all({
    exists: boolean,
    ours: boolean,
    told: boolean,
    shown: Arbitrary.array(letter, { maxLength: 3 }),
    hasAllocation: boolean,
    deleting: boolean,
    ownUid: boolean,
    wellFormed: boolean,
    entries: someEntries,
    acknowledgements: Arbitrary.array(someAcknowledgement, { maxLength: 6 }),
    fenced: Arbitrary.array(oneOf("n1", "n2", "n3"), { maxLength: 1 })
  }),
  (draw): PlanInput.Observed => ({
    service: draw.exists
      ? serviceOf([...new Set(draw.shown)].join(" "), {
          ours: draw.ours,
          finding: draw.told ? { status: "False", reason: "NoPool", message: "" } : undefined
        })
      : undefined,
    allocation: draw.hasAllocation
      ? allocationOf({
          deleting: draw.deleting,
          serviceUid: draw.ownUid ? "web" : "predecessor",
          wellFormed: draw.wellFormed,
          entries: draw.entries,
          acknowledgements: draw.acknowledgements
        })
      : undefined,
    isFenced: ({ node }) => draw.fenced.some((each) => each === node),
    routeOf: () => "inPlace",
    nameToSet: () => undefined
  })
)
const someWanted = Arbitrary.map(someEntries, (entries): PlanInput.Wanted => ({ ...wantedOf(""), entries }))

/** Every state on the way, one change at a time, each planned anew. */
const pathOf = (wanted: PlanInput.Wanted, start: PlanInput.Observed): ReadonlyArray<PlanInput.Observed> => {
  const path = [start]
  for (let steps = 0; steps < 20; steps++) {
    const present = path.at(-1) ?? start
    const [change] = Plan.plan(wanted, present)
    if (change === undefined) return path
    path.push(after(present, change))
  }
  throw new Error("it does not settle")
}

describe("Plan.plan, whatever is there", () => {
  it.prop(
    "settles when a step at a time is applied and planned anew, so a crash after any step costs nothing",
    { observed: someObserved, wanted: someWanted },
    ({ observed, wanted }) => {
      const path = pathOf(wanted, observed)
      assert.isAtMost(path.length, 8)
    },
    options
  )

  it.prop(
    "plans nothing more after a plan was applied to its end",
    { observed: someObserved, wanted: someWanted },
    ({ observed, wanted }) => {
      const end = Plan.plan(wanted, observed).reduce(after, observed)
      // A new or a finished allocation is a new situation, and has a plan of its own.
      if ((end.allocation === undefined) !== (observed.allocation === undefined)) return
      assert.deepStrictEqual(Plan.plan(wanted, end).map(Plan.render), [])
    },
    options
  )

  it.prop(
    "drops no entry, and no finalizer, while somebody may still serve (S7, S14)",
    { observed: someObserved, wanted: someWanted },
    ({ observed, wanted }) => {
      const path = pathOf(wanted, observed)
      for (const [index, present] of path.entries()) {
        const next = path[index + 1]
        if (next === undefined || present.allocation === undefined) continue
        const { acknowledgements } = present.allocation
        for (const entry of present.allocation.entries) {
          const awaited = Hold.awaitedOf(entry, acknowledgements, present.isFenced)
          const kept = next.allocation?.entries.some(({ address }) => address === entry.address) ?? false
          if (awaited.length > 0) assert.isTrue(kept, entry.address)
        }
      }
    },
    options
  )

  it.prop(
    "adds nothing to the status that is not served (S4)",
    { observed: someObserved, wanted: someWanted },
    ({ observed, wanted }) => {
      for (const change of Plan.plan(wanted, observed)) {
        if (change._tag !== "Show") continue
        for (const address of change.addresses) {
          if (observed.service?.shown.includes(address) === true) continue
          const entry = observed.allocation?.entries.find((each) => each.address === address)
          assert.isTrue(entry !== undefined && Hold.isServed(entry, observed.allocation?.acknowledgements ?? []))
        }
      }
    },
    options
  )
})
