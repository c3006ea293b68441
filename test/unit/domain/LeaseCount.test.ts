import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import * as LeaseCount from "../../../src/domain/LeaseCount.ts"
import { int, oneOf, options } from "./arbitraries.ts"

const limits = { ownMillis: 6500, announcedMillis: 6500 }
const nodes = ["w1", "w2", "w3"]
const listed = (versions: { readonly [node: string]: string }, candidates: ReadonlyArray<string> = nodes) => ({
  versions: new Map(Object.entries(versions)),
  candidates: new Set(candidates)
})

/** p = 1 s; listed at 0 with every version "1". */
const started = LeaseCount.resume(LeaseCount.make(1000, 0), listed({ w1: "1", w2: "1", w3: "1" }), 0)

/** The others renew each second from `from` to `to`, w1 does not. */
const others = (counts: LeaseCount.LeaseCounts, from: number, to: number): LeaseCount.LeaseCounts => {
  let after = counts
  for (let now = from; now <= to; now += 1000) {
    for (const node of ["w2", "w3"]) after = LeaseCount.observe(after, node, `${node}@${now}`, now)
  }
  return after
}

const isDue = (counts: LeaseCount.LeaseCounts, now: number, some = limits): boolean =>
  LeaseCount.isDue(counts, "w1", some, now)

describe("LeaseCount", () => {
  it("is due after L without a change, and not before", () => {
    const counts = others(started, 1000, 6000)
    assert.isFalse(isDue(counts, 6499))
    assert.isTrue(isDue(counts, 6500))
    assert.isFalse(LeaseCount.isDue(counts, "w2", limits, 6500))
    assert.isFalse(LeaseCount.isDue(counts, "unknown", limits, 6500))
  })

  it("waits for what the lease announces, when that is longer, and for its own L, when that is (R6)", () => {
    const counts = others(started, 1000, 60_000)
    assert.isFalse(isDue(counts, 59_999, { ownMillis: 6500, announcedMillis: 60_000 }))
    assert.isTrue(isDue(counts, 60_000, { ownMillis: 6500, announcedMillis: 60_000 }))
    assert.isFalse(isDue(others(started, 1000, 6000), 6499, { ownMillis: 6500, announcedMillis: 3100 }))
  })

  it("starts anew with every version newly seen, and not with one seen again", () => {
    const renewed = LeaseCount.observe(others(started, 1000, 4000), "w1", "2", 4000)
    const repeated = LeaseCount.observe(others(renewed, 5000, 9000), "w1", "2", 9000)
    assert.isFalse(isDue(repeated, 10_499))
    assert.isTrue(isDue(repeated, 10_500))
  })

  it("starts anew after a compare-and-set that failed, even at the version it had (R7)", () => {
    const counts = LeaseCount.restart(others(started, 1000, 6000), "w1", "1", 6600)
    assert.isFalse(isDue(others(counts, 7000, 13_000), 13_099))
    assert.isTrue(isDue(others(counts, 7000, 13_000), 13_100))
  })

  it("is not due while its own watch is silent, however long the lease was quiet", () => {
    const counts = others(started, 1000, 4000)
    assert.isFalse(LeaseCount.needsList(counts, 6000))
    assert.isTrue(LeaseCount.needsList(counts, 6001))
    assert.isFalse(isDue(counts, 60_000))
  })

  it("is not due when the watch comes alive again, before a list: the missing renewal may be next in the pipe", () => {
    const late = others(others(started, 1000, 4000), 7000, 12_000)
    assert.isTrue(LeaseCount.needsList(late, 12_000))
    assert.isFalse(isDue(late, 12_000))
  })

  it("takes a bookmark for life, and for nothing more", () => {
    const counts = LeaseCount.heard(others(started, 1000, 4000), 6000)
    assert.isTrue(isDue(LeaseCount.heard(counts, 8000), 8000))
    assert.isTrue(LeaseCount.needsList(LeaseCount.heard(counts, 8001), 8001))
  })

  // oxfmt-ignore
  it.each<[string, { readonly [node: string]: string }, ReadonlyArray<string>, number]>([
    // name                                                                      listed at 9 s after a gap from 4 s                 candidates         due at
    ["goes on when it is unchanged and both others changed",                     { w1: "1", w2: "w2@9000", w3: "w3@9000" },         nodes,             9000],
    ["goes on when half of the others changed",                                  { w1: "1", w2: "w2@9000", w3: "w3@4000" },         nodes,             9000],
    ["starts anew when no other changed: the API may have been away",            { w1: "1", w2: "w2@4000", w3: "w3@4000" },         nodes,             15_500],
    ["starts anew when the one that changed is no candidate",                    { w1: "1", w2: "w2@9000", w3: "w3@4000" },         ["w1", "w3"],      15_500],
    ["starts anew when it changed itself",                                       { w1: "2", w2: "w2@9000", w3: "w3@9000" },         nodes,             15_500],
    ["starts anew when there is no other to compare with",                       { w1: "1" },                                       ["w1"],            15_500]
  ])("after a lost connection the count %s", (_, versions, candidates, dueAt) => {
    const lost = others(started, 1000, 4000)
    const counts = LeaseCount.resume(lost, listed(versions, candidates), 9000)
    const going = others(counts, 10_000, 20_000)
    assert.isTrue(isDue(dueAt === 9000 ? counts : going, dueAt))
    if (dueAt > 9000) assert.isFalse(isDue(others(counts, 10_000, dueAt - 1000), dueAt - 1))
  })

  it("compares with the versions from before the gap, not with those that arrived late", () => {
    const late = others(others(started, 1000, 4000), 8000, 8000)
    const versions = { w1: "1", w2: "w2@8000", w3: "w3@8000" }
    assert.isTrue(isDue(LeaseCount.resume(late, listed(versions), 9000), 9000))
  })

  it("does not take a version for unchanged that changed and was seen within the gap", () => {
    const late = LeaseCount.observe(others(others(started, 1000, 4000), 8000, 8000), "w1", "2", 8000)
    const counts = LeaseCount.resume(late, listed({ w1: "2", w2: "w2@9000", w3: "w3@9000" }), 9000)
    assert.isFalse(isDue(others(counts, 10_000, 15_000), 15_499))
  })

  it("goes on with every count when a list comes without a gap", () => {
    const counts = LeaseCount.resume(others(started, 1000, 4000), listed({ w1: "1", w2: "x", w3: "y" }), 5000)
    assert.isTrue(isDue(others(counts, 6000, 6000), 6500))
    assert.strictEqual(LeaseCount.quietFor(counts, "w2", 6500), 1500)
  })

  it("counts nothing before the first list", () => {
    const counts = others(LeaseCount.observe(LeaseCount.make(1000, 0), "w1", "1", 0), 1000, 10_000)
    assert.isTrue(LeaseCount.needsList(counts, 10_000))
    assert.isFalse(isDue(counts, 10_000))
  })

  it("forgets a lease that is gone", () => {
    assert.isUndefined(LeaseCount.quietFor(LeaseCount.forget(started, "w1"), "w1", 6500))
  })

  const event = Arbitrary.all({
    node: oneOf("w1", "w2", "w3"),
    what: oneOf("renew", "renew", "same", "list", "restart"),
    after: int(0, 3000)
  })

  it.prop(
    "is never due for a node that renewed within L, for any sequence of events, gaps and lists",
    { events: Arbitrary.array(event, { maxLength: 60 }), ask: int(0, 3000) },
    ({ events, ask }) => {
      let now = 0
      let counts = started
      const versions = new Map(nodes.map((node) => [node, "1"]))
      const renewedAt = new Map(nodes.map((node) => [node, 0]))
      for (const [index, { node, what, after }] of events.entries()) {
        now += after
        if (what === "renew") {
          versions.set(node, `${index + 2}`)
          renewedAt.set(node, now)
        }
        const version = versions.get(node) ?? ""
        if (what === "list") counts = LeaseCount.resume(counts, { versions, candidates: new Set(nodes) }, now)
        else if (what === "restart") counts = LeaseCount.restart(counts, node, version, now)
        else counts = LeaseCount.observe(counts, node, version, now)
        for (const one of nodes) {
          const due = LeaseCount.isDue(counts, one, limits, now + ask)
          if (due) assert.isAtLeast(now + ask - (renewedAt.get(one) ?? 0), 6500, `${one} at ${now + ask}`)
          if (due) assert.isAtMost(ask, 2000, "with a watch that works")
        }
      }
    },
    options
  )
})
