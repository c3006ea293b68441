import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import type { Address } from "../../../src/domain/Address.ts"
import * as Assignment from "../../../src/domain/Assignment.ts"
import type * as Hold from "../../../src/domain/Hold.ts"
import * as HoldId from "../../../src/domain/HoldId.ts"
import * as NodeDuty from "../../../src/domain/NodeDuty.ts"
import { int, options } from "./arbitraries.ts"
import { acknowledgements, addresses, addressOf, brief, entries, foreignMac } from "./notation.ts"

const viewOf = (present: string, acknowledged: string, deleting = false): NodeDuty.AllocationView => ({
  key: "shop/web",
  uid: "ipa",
  deleting,
  entries: entries(present),
  acknowledgements: acknowledgements(acknowledged)
})
const self: NodeDuty.Self = { node: "n1", holdId: "1.n1" }

const signs = { Serving: "+", Released: "-", InUse: "*" } as const
const said = (all: ReadonlyArray<Hold.Acknowledgement>): string =>
  all.map(({ address, epoch, node, phase }) => `${brief(address)}${signs[phase]}${node}.${epoch}`).join(" ")

describe("NodeDuty on node n1", () => {
  // oxfmt-ignore
  it.each<[string, string, string, boolean, string, string, string]>([
    // name                                                     entries             acknowledged      deleting held   duties  acknowledges
    ["says of what a foreign machine has that it leaves it alone", "?a@n1.2",       "",               false, "a*",   "a",    "a*n1.2"],
    ["says nothing of what it is about to ask for",             "?a@n1.2",          "",               false, "",     "a",    ""],
    ["says that it serves once that machine is gone",           "?a@n1.2",          "a*n1.2",         false, "a",    "a",    "a+n1.2"],
    ["takes its word back that it left alone, when others have it", "a@n2.3<n1.2",  "a*n1.2",         false, "",     "",     "a-n1.2"],
    ["serves what names it and its hold id",                    "a@n1.2",           "",               false, "a",    "a",    "a+n1.2"],
    ["says nothing before it is announced",                     "a@n1.2",           "",               false, "a?",   "a",    ""],
    ["goes on saying what cannot be announced again",           "a@n1.2",           "a+n1.2",         false, "a?",   "a",    "a+n1.2"],
    ["does not say of a new epoch what it said of another",     "a@n1.3",           "a+n1.2",         false, "a?",   "a",    ""],
    ["says nothing before it holds it",                         "a@n1.2",           "",               false, "",     "a",    ""],
    ["leaves to others what names others",                      "a@n2.2",           "",               false, "",     "",     ""],
    ["waits for the former holder",                             "a@n1.2<n2.1",      "a+n2.1",         false, "",     "",     ""],
    ["waits although the former one released another epoch",    "a@n1.3<n2.2",      "a-n2.1",         false, "",     "",     ""],
    ["waits although the former one says nothing",              "a@n1.2<n2.1",      "",               false, "",     "",     ""],
    ["serves when all former ones let go",                      "a@n1.3<n2.1<n3.2", "a-n2.1 a-n3.2",  false, "",     "a",    ""],
    ["says that it serves while it still holds what it left",   "a@n2.2<n1.1",      "a+n1.1",         false, "a",    "",     "a+n1.1"],
    ["acknowledges what it let go",                             "a@n2.2<n1.1",      "a+n1.1",         false, "",     "",     "a-n1.1"],
    ["acknowledges though it never served",                     "a@n2.2<n1.1",      "",               false, "",     "",     "a-n1.1"],
    ["acknowledges a released entry",                           "a<n1.1",           "a+n1.1",         false, "",     "",     "a-n1.1"],
    ["lets go when the object is being deleted",                "a@n1.2",           "a+n1.2",         true,  "",     "",     "a-n1.2"],
    ["takes its word back when the entry is gone",              "",                 "a+n1.1",         false, "",     "",     "a-n1.1"],
    ["serves nothing that v0.4 wrote",                          "a@n1",             "",               false, "",     "",     ""],
    ["has no duty without an interface",                        "~a@n1.2",          "",               false, "",     "",     ""],
    ["answers the newest epoch that concerns it",               "a@n2.3<n1.1<n1.2", "",               false, "",     "",     "a-n1.2"],
    ["says nothing of an epoch that it waits to begin",         "a@n1.3<n2.2",      "",               false, "a",    "",     ""],
    ["says of the epoch before that it still lies there",       "a@n1.3<n2.2",      "a+n1.1",         false, "a",    "",     "a+n1.1"],
    ["lets go of the epoch before while it waits to begin",     "a@n1.3<n2.2",      "a+n1.1",         false, "",     "",     "a-n1.1"],
    ["waits for nobody where a cloud routes",                   "^a@n1.2<n2.1",     "a+n2.1",         false, "a",    "a",    "a+n1.2"],
    ["serves on there while it is named",                       "^a@n2.2<n1.1",     "a+n1.1",         false, "a",    "a",    "a+n1.1"],
    ["puts back there what somebody took off meanwhile",        "^a@n2.2<n1.1",     "a+n1.1",         false, "",     "a",    ""],
    ["begins nothing there that it has let go",                 "^a@n2.2<n1.1",     "a-n1.1",         false, "",     "",     "a-n1.1"],
    ["lets go there when nobody is to serve it any more",       "^a<n1.1",          "a+n1.1",         false, "",     "",     "a-n1.1"],
    ["lets go there when it is named no more",                  "^a@n2.2",          "a+n1.1",         false, "",     "",     "a-n1.1"],
    ["lets go there when the object is being deleted",          "^a@n2.2<n1.1",     "a+n1.1",         true,  "",     "",     "a-n1.1"]
  ])("%s", (_, present, acknowledged, deleting, held, duties, expected) => {
    const view = viewOf(present, acknowledged, deleting)
    const isHeld = (address: Address) => addresses(held.replaceAll(/[?]|\w[*]/g, "")).includes(address)
    const foreignMacOf = (address: Address) => (held.split(" ").includes(`${brief(address)}*`) ? foreignMac : undefined)
    const isAnnounced = (address: Address) => !held.split(" ").includes(`${brief(address)}?`)
    assert.strictEqual(NodeDuty.dutiesOf(view, self).map(({ address }) => brief(address)).join(" "), duties)
    assert.strictEqual(said(NodeDuty.acknowledge(view, self, { isHeld, isAnnounced, foreignMacOf })), expected)
  })

  it("answers for its own hold id and earlier ones, and leaves newer ones to its successor on this node (ADR 15)", () => {
    const view = viewOf("a@n2.3<n1.1", "a+n1.1")
    const kept = { isHeld: () => false, isAnnounced: () => false, foreignMacOf: () => undefined }
    const answer = (holdId: string) => said(NodeDuty.acknowledge(view, { node: "n1", holdId }, kept))
    assert.deepStrictEqual([answer("1.n1"), answer("2.n1"), answer("0.n1")], ["a-n1.1", "a-n1.1", ""])
  })

  it("answers without a hold id for the last one that it had and earlier ones, and for none if it had none (ADR 15)", () => {
    const view = viewOf("a@n2.3<n1.1", "a+n1.1")
    const kept = { isHeld: () => false, isAnnounced: () => false, foreignMacOf: () => undefined }
    const answer = (lastHoldId: string | undefined) =>
      said(NodeDuty.acknowledge(view, { node: "n1", holdId: undefined, lastHoldId }, kept))
    assert.deepStrictEqual(
      [answer("1.n1"), answer("2.n1"), answer("0.n1"), answer(undefined)],
      ["a-n1.1", "a-n1.1", "", ""]
    )
  })

  it("serves nothing under a former hold id, or without one", () => {
    const view = viewOf("a@n1.2", "")
    assert.deepStrictEqual(NodeDuty.dutiesOf(view, { node: "n1", holdId: "2.n1" }), [])
    assert.deepStrictEqual(NodeDuty.dutiesOf(view, { node: "n1", holdId: undefined }), [])
  })
})

/** Three nodes, one address, a controller: what each may do next is drawn. */
class World {
  readonly names = ["n1", "n2", "n3"]
  readonly generation = new Map(this.names.map((name) => [name, 1]))
  readonly fenced = new Set<string>()
  readonly kernels = new Set<string>()
  acknowledged: ReadonlyArray<Hold.Acknowledgement> = []
  /** Every version of the spec; a node sees them in order, but late. */
  readonly specs: Array<ReadonlyArray<Hold.Entry>> = [[]]
  readonly seen = new Map(this.names.map((name) => [name, 0]))
  readonly address = addressOf("a")

  holdId(name: string): string {
    return `${this.generation.get(name) ?? 0}.${name}`
  }

  isFenced({ holdId, node }: Hold.Holder): boolean {
    const standing = HoldId.standing(HoldId.make(Number(holdId.split(".")[0]), node), {
      holdId: HoldId.make(this.generation.get(node) ?? 0, node),
      fenced: this.fenced.has(node)
    })
    return standing === "Fenced"
  }

  /** The controller wants the address on `name`; the kernel's lease of a fenced node has run out. */
  move(name: string): void {
    const current = this.specs.at(-1) ?? []
    const nodes: Assignment.Nodes = {
      holdIdOf: (node) => (this.fenced.has(node) ? undefined : this.holdId(node)),
      isFenced: (holder) => this.isFenced(holder),
      isOutOfService: () => false,
      mayKeep: (node) => node === name,
      choose: () => (this.fenced.has(name) ? undefined : name)
    }
    const grants = [{ address: this.address, pool: "rack-1", interfaceName: "pl0" }]
    const nextEpoch = this.specs.length + 1
    const context = {
      nodes,
      acknowledgements: this.acknowledged,
      isShown: () => true,
      isRoutedThere: () => false,
      nextEpoch
    }
    this.specs.push(Assignment.assign(grants, current, context))
  }

  /**
   * The operator looks at a version not older than the last one, and at the acknowledgements as they are. `stuck`: its
   * tools fail, and the kernel stays as it is; a fenced one does not register anew before it could let go.
   */
  round(name: string, lag: number, stuck = false): void {
    if (stuck && this.fenced.has(name)) return
    const version = Math.max(this.seen.get(name) ?? 0, this.specs.length - 1 - lag)
    this.seen.set(name, version)
    if (this.fenced.delete(name)) {
      this.kernels.delete(name)
      this.generation.set(name, (this.generation.get(name) ?? 0) + 1)
    }
    const self = { node: name, holdId: this.holdId(name) }
    const view = { ...viewOf("", ""), entries: this.specs[version] ?? [], acknowledgements: this.acknowledged }
    const isDuty = NodeDuty.dutiesOf(view, self).length > 0
    if (isDuty && !stuck) this.kernels.add(name)
    if (!isDuty && !stuck) this.kernels.delete(name)
    const kept = { isHeld: () => this.kernels.has(name), isAnnounced: () => true, foreignMacOf: () => undefined }
    const own = NodeDuty.acknowledge(view, self, kept)
    this.acknowledged = [...this.acknowledged.filter(({ node }) => node !== name), ...own]
  }

  servers(): ReadonlyArray<string> {
    return [...this.kernels].filter((name) => !this.fenced.has(name))
  }
}

describe("NodeDuty and Assignment together", () => {
  const step = Arbitrary.all({ what: int(0, 9), node: int(0, 2), lag: int(0, 3) })

  it.prop(
    "never let two nodes serve one address, however late each looks (S1)",
    { steps: Arbitrary.array(step, { minLength: 10, maxLength: 60 }) },
    ({ steps }) => {
      const world = new World()
      for (const { lag, node, what } of steps) {
        const name = world.names[node] ?? "n1"
        if (what < 3) world.move(name)
        else if (what < 4) world.fenced.add(name)
        else world.round(name, lag, what > 7)
        assert.isAtMost(world.servers().length, 1, JSON.stringify(world.specs.at(-1)))
      }
    },
    { arbitrary: { ...options.arbitrary, runs: 1000 } }
  )

  it.prop(
    "and bring it to the node that is wanted, once nobody lags any more (L1)",
    { steps: Arbitrary.array(step, { maxLength: 40 }) },
    ({ steps }) => {
      const world = new World()
      for (const { lag, node, what } of steps) {
        const name = world.names[node] ?? "n1"
        if (what < 3) world.move(name)
        else if (what < 4) world.fenced.add(name)
        else world.round(name, lag)
      }
      for (let round = 0; round < 4; round++) {
        for (const name of world.names) world.round(name, 0)
        world.move("n2")
      }
      for (const name of world.names) world.round(name, 0)
      assert.deepStrictEqual(world.servers(), ["n2"])
    },
    options
  )
})
