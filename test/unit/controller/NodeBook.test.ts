import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Lease } from "../../../src/api/Lease.ts"
import * as NodeLease from "../../../src/api/NodeLease.ts"
import { NodeBook } from "../../../src/controller/NodeBook.ts"
import * as HoldId from "../../../src/domain/HoldId.ts"

const p = 1_000
const L = 6_500
const holdId = (text: string) => Result.getOrThrow(HoldId.parse(text))

interface Content {
  readonly node: string
  readonly version: number
  readonly holdId?: string
  readonly fenced?: string
  readonly durationMillis?: number
  readonly macs?: ReadonlyArray<string>
}

const leaseOf = ({ durationMillis = L, fenced, holdId: id = "1.a", macs = [], node, version }: Content): Lease => {
  const content: NodeLease.NodeLease = {
    node,
    holdId: holdId(id),
    bootId: "boot",
    macs,
    systemUuid: "",
    nonce: "process",
    attempt: version,
    durationMillis,
    fenced,
    released: undefined,
    interfaces: { pl0: "" },
    instanceId: undefined,
    ...NodeLease.noWitness
  }
  const lease = NodeLease.write(content, "plenuslb", "2026-01-01T00:00:00.000000Z", undefined)
  return { ...lease, metadata: { ...lease.metadata, resourceVersion: String(version) } }
}

/** A book that follows leases: each call is one event of the watch. */
const newBook = () => {
  const book = new NodeBook(p, L, 0)
  const present = new Map<string, Lease>()
  const see = (content: Content, nowMillis: number) => {
    const after = leaseOf(content)
    const change = { key: content.node, before: present.get(content.node), after }
    present.set(content.node, after)
    return book.onLease(change, nowMillis)
  }
  const list = (askedMillis: number, nowMillis: number) =>
    book.onLeasesListed({ items: [...present.values()], askedMillis }, nowMillis)
  const due = (nowMillis: number) => book.leases.dueForFence(nowMillis).map(({ content }) => content.node)
  return { book, see, list, due }
}

/** n1 is silent from the first list on; n2 renews every p until `untilMillis`. */
const silentNode = (untilMillis: number) => {
  const world = newBook()
  world.see({ node: "n1", version: 1 }, 0)
  world.see({ node: "n2", version: 2 }, 0)
  world.list(0, 0)
  for (let now = p; now <= untilMillis; now += p) world.see({ node: "n2", version: 2 + now / p }, now)
  return world
}

/** Nothing from 4,000 on: the gap is there at 6,000. n2 went on renewing meanwhile. */
const gap = () => {
  const world = silentNode(4_000)
  world.see({ node: "n2", version: 30 }, 9_000)
  return world
}

const isRenewed = (book: NodeBook, nowMillis: number) => book.facts(nowMillis).get("n1")?.lease?.renewed

describe("NodeBook, counting", () => {
  it("finds a node due when its lease has not changed for L, and not before", () => {
    const { due } = silentNode(7_000)
    assert.deepStrictEqual(due(L - 1), [])
    assert.deepStrictEqual(due(L), ["n1"])
  })

  it("honours a longer duration that the lease announces (R6)", () => {
    const { due, see } = silentNode(7_000)
    see({ node: "n1", version: 50, durationMillis: 10_000 }, 7_000)
    for (let now = 8_000; now <= 18_000; now += p) see({ node: "n2", version: 60 + now / p }, now)
    assert.deepStrictEqual([due(16_999), due(17_000)], [[], ["n1"]])
  })

  it("counts nothing before the first list, which is asked for after its start", () => {
    const { due, see } = newBook()
    see({ node: "n1", version: 1 }, 0)
    for (let now = p; now <= 10_000; now += p) see({ node: "n2", version: 2 + now / p }, now)
    assert.deepStrictEqual(due(10_000), [])
  })

  it("goes on after a gap only with a list that was asked for after the gap was there", () => {
    const early = gap()
    early.list(5_900, 9_100)
    assert.isTrue(early.book.leases.needsList(9_100))
    assert.deepStrictEqual(early.due(9_100), [])
    const late = gap()
    late.list(6_100, 9_100)
    assert.isFalse(late.book.leases.needsList(9_100))
    assert.deepStrictEqual(late.due(9_100), ["n1"])
  })

  // oxfmt-ignore
  it.each<[string, boolean, boolean]>([
    ["takes whatever the watch brings for its life",                     true,  false],
    ["and not what a leader writes itself, whose watch may be dead", false, true]
  ])("%s", (_, isHeard, needsList) => {
    const { book } = silentNode(4_000)
    const leaders: Lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "plenuslb" } }
    for (let now = 5_000; now <= 7_000; now += p) {
      if (isHeard) book.leases.onHeard(now)
      book.onLease({ key: "plenuslb/plenuslb", before: leaders, after: leaders }, now)
    }
    assert.strictEqual(book.leases.needsList(7_000), needsList)
  })

  it("lets nodes that renew seldom prove nothing: only candidates are asked", () => {
    const { due, list, see } = newBook()
    see({ node: "n1", version: 1 }, 0)
    see({ node: "n2", version: 2 }, 0)
    for (const [index, node] of ["idle-1", "idle-2", "idle-3"].entries()) {
      see({ node, version: 10 + index, durationMillis: 30_000 }, 0)
    }
    list(0, 0)
    for (let now = p; now <= 4_000; now += p) see({ node: "n2", version: 20 + now / p }, now)
    // After the gap n2, the only other candidate, has changed; three idle ones have not, and would outvote it.
    see({ node: "n2", version: 40 }, 9_000)
    list(9_000, 9_000)
    assert.deepStrictEqual(due(9_000), ["n1"])
  })
})

const readyNode = (name: string) => ({
  metadata: { name },
  status: { conditions: [{ type: "Ready", status: "True" }] }
})

describe("NodeBook, candidates", () => {
  it("are those that are named and renew every p, and all where nobody is named", () => {
    const { book, see } = newBook()
    for (const name of ["n1", "n2", "n3"]) book.onNode(name, readyNode(name), 0)
    for (const [version, node] of ["n1", "n2"].entries()) see({ node, version }, 0)
    see({ node: "n3", version: 9, durationMillis: 30_000 }, 0)
    const candidates = () => ["n1", "n2", "n3"].filter((name) => book.facts(0).get(name)?.lease?.candidate)
    assert.deepStrictEqual(candidates(), ["n1", "n2"])
    assert.isTrue(book.onCandidates(["n2", "n3"], 0))
    assert.deepStrictEqual(candidates(), ["n2"])
    assert.isFalse(book.onCandidates(["n3", "n2"], 0), "the same list")
    assert.isTrue(book.onCandidates(undefined, 0))
    assert.deepStrictEqual(candidates(), ["n1", "n2"])
  })

  it("are not counted on when they are named and have not begun for three seconds", () => {
    const { book } = newBook()
    book.onCandidates(["n1"], 0)
    book.onCandidates(["n1", "n2"], 1_000)
    const overdue = (nowMillis: number) => ["n1", "n2"].filter((name) => book.candidates.isOverdue(name, nowMillis))
    assert.deepStrictEqual([overdue(2_999), overdue(3_000), overdue(4_000)], [[], ["n1"], ["n1", "n2"]])
  })

  it("hear of a Service's call once, and of its end", () => {
    const { book } = newBook()
    let told = 0
    book.candidates.onCalls = () => void told++
    book.candidates.call("shop/web", [])
    book.candidates.call("shop/web", ["n1", "n2"])
    book.candidates.call("shop/web", ["n1", "n2"])
    book.candidates.call("shop/other", ["n1", "n2"])
    assert.deepStrictEqual([told, book.candidates.called()], [2, [["n1", "n2"]]])
    book.candidates.call("shop/web", [])
    book.candidates.call("shop/other", [])
    assert.deepStrictEqual([told, book.candidates.called()], [4, []])
  })

  it("concern nobody by a renewal that comes when an idle node's is due", () => {
    const { book, see } = newBook()
    book.onNode("n1", readyNode("n1"), 0)
    see({ node: "n1", version: 1, durationMillis: 30_000 }, 0)
    assert.isUndefined(see({ node: "n1", version: 2, durationMillis: 30_000 }, 10_000))
    assert.strictEqual(see({ node: "n1", version: 3, durationMillis: L }, 20_000), "n1", "it renews faster now")
  })
})

describe("NodeBook, waiting", () => {
  // oxfmt-ignore
  it.each<[string, { readonly fenced?: string }, number, number]>([
    // name                                                       lease              at       millis
    ["looks once in p while every lease is fresh",                 {},                2_000,   p],
    ["looks when the silent one falls due",                        {},                6_100,   400],
    ["looks again soon while one is due and is not fenced",        {},                7_000,   100],
    ["waits for no node that was fenced, however long it is gone", { fenced: "1.a" }, 60_000,  p]
  ])("%s", (_, lease, nowMillis, millis) => {
    const { book, see } = silentNode(0)
    see({ node: "n1", version: 1, ...lease }, 0)
    see({ node: "n2", version: 2 + nowMillis }, nowMillis)
    assert.strictEqual(book.leases.millisUntilDue(nowMillis), millis)
  })
})

describe("NodeBook, holders", () => {
  // oxfmt-ignore
  it.each<[string, string, string | undefined, string, boolean, boolean]>([
    // name                                        lease     fenced     named     fenced  unrecognised
    ["the present id holds",                       "2.a",    undefined, "2.a",    false,  false],
    ["it is fenced when the lease says so",        "2.a",    "2.a",     "2.a",    true,   false],
    ["an earlier generation is fenced",            "2.a",    undefined, "1.a",    true,   false],
    ["a later one is not: the book is behind",     "2.a",    undefined, "3.a",    false,  true],
    ["another of the same generation is not",      "2.a",    undefined, "2.b",    false,  true]
  ])("%s", (_, id, fenced, named, isFenced, unrecognised) => {
    const { book, see } = newBook()
    see({ node: "n1", version: 1, holdId: id, ...(fenced === undefined ? {} : { fenced }) }, 0)
    const holder = { node: "n1", holdId: named, epoch: 1 }
    assert.strictEqual(book.isFenced(holder), isFenced)
    assert.strictEqual(book.unrecognised(holder) !== undefined, unrecognised)
  })

  it("tells the fenced hold ids of nodes that have not registered since, in an order that writes nothing anew", () => {
    const { book, see } = newBook()
    see({ node: "n3", version: 1, holdId: "1.c", fenced: "1.c" }, 0)
    see({ node: "n2", version: 2, holdId: "2.b", fenced: "1.b" }, 0)
    see({ node: "n1", version: 3, holdId: "1.a", fenced: "1.a" }, 0)
    see({ node: "n4", version: 4, holdId: "1.d" }, 0)
    assert.deepStrictEqual(book.fencedHoldIds(), ["1.a", "1.c"])
  })

  it("tells no more of them than fit into a ConfigMap beside the rest", () => {
    const { book, see } = newBook()
    const [count, bytesMax] = [2_000, 10_000]
    for (let index = 0; index < count; index++) {
      const id = `1.${String(index).padStart(8, "0")}`
      see({ node: `n${index}`, version: index, holdId: id, fenced: id }, 0)
    }
    assert.isAtMost(JSON.stringify(book.fencedHoldIds()).length, bytesMax)
  })

  it("tells of nodes that are there before those whose Nodes are gone, whose leases stay for years", () => {
    const { book, see } = newBook()
    for (let index = 0; index < 2_000; index++) {
      const id = `1.${String(index).padStart(8, "0")}`
      const macs = [0, 1, 2].map((port) => `02:00:00:0${port}:${String(index).padStart(4, "0")}`)
      see({ node: `gone-${index}`, version: index, holdId: id, fenced: id, macs }, 0)
    }
    const here = { node: "n1", version: 2_000, holdId: "1.z", fenced: "1.z", macs: ["fe:00:00:00:00:01"] }
    see(here, 0)
    book.onNode("n1", { apiVersion: "v1", kind: "Node", metadata: { name: "n1" } }, 0)
    assert.include(book.fencedHoldIds(), "1.z")
    assert.include(book.macs(), "fe:00:00:00:00:01")
  })

  it("takes nobody for fenced whose lease it never saw", () => {
    const { book } = newBook()
    assert.isFalse(book.isFenced({ node: "n1", holdId: "1.a", epoch: 1 }))
  })
})

describe("NodeBook, facts", () => {
  const ready = readyNode("n1")

  it("are computed once until something changes, or a renewal falls due", () => {
    const { book, see } = silentNode(3_000)
    book.onNode("n1", ready, 0)
    const before = book.facts(3_000)
    see({ node: "n2", version: 90 }, 3_100)
    assert.strictEqual(book.facts(3_200), before, "a renewal changes nothing")
    assert.isTrue(isRenewed(book, L - 1))
    assert.isFalse(isRenewed(book, L), "the lease of n1 is stale from here on")
    book.onNode("n1", { ...ready, spec: { unschedulable: true } }, 0)
    assert.isTrue(book.facts(L).get("n1")?.unschedulable)
  })

  it("say whose voters have not promised, until its lease changes", () => {
    const { book, see } = silentNode(L)
    book.onNode("n1", { metadata: { name: "n1" } }, 0)
    const isOverdue = (nowMillis: number) => book.facts(nowMillis).get("n1")?.lease?.overdue
    assert.isFalse(isOverdue(L))
    assert.deepStrictEqual([book.setUnpromised("n1", true), book.setUnpromised("n1", true)], [true, false])
    assert.isTrue(isOverdue(L))
    assert.strictEqual(see({ node: "n1", version: 40 }, L + 1), "n1")
    assert.isFalse(isOverdue(L + 1))
    assert.isFalse(book.setUnpromised("n1", false))
  })

  it("tell of a renewal that came late, since somebody may wait for this node", () => {
    const { book, see } = silentNode(8_000)
    book.onNode("n1", ready, 0)
    assert.isFalse(isRenewed(book, 8_000))
    assert.strictEqual(see({ node: "n1", version: 80 }, 8_100), "n1")
    assert.isTrue(isRenewed(book, 8_100))
    assert.isUndefined(see({ node: "n1", version: 81 }, 9_000), "an ordinary renewal concerns nobody")
  })
})
