import { assert, describe, it } from "@effect/vitest"
import type { Lease } from "../../../src/api/Lease.ts"
import type * as NodeConfig from "../../../src/api/NodeConfig.ts"
import { Seats } from "../../../src/operator/Seats.ts"
import { leaseContent } from "./LeaseContent.ts"

const peer = (node: string) => ({ host: `host-${node}`, port: 8080 })
const members = (nodes: string): ReadonlyArray<NodeConfig.Member> =>
  nodes.split(" ").map((node) => ({ node, zone: "", peer: peer(node) }))

const lease = (resourceVersion: string): Lease => ({ metadata: { name: "lease", resourceVersion } })

/** Seats of node a, with what the test makes stand in its lease. */
const start = () => {
  const content = { ...leaseContent, witnessPort: 8080 }
  const situation = {
    members: members("a b c"),
    registered: { lease: lease("1"), content: { ...content, voters: [] as ReadonlyArray<string> } }
  }
  const seats = new Seats(
    "a",
    () => situation.members,
    () => situation.registered
  )
  const found = (version: string, voters: ReadonlyArray<string>) => {
    situation.registered = { lease: lease(version), content: { ...content, voters } }
  }
  const lists = () => seats.lists().map((voters) => voters.toSorted().join(" "))
  const write = (at: number, mayVote = true) => seats.forWrite(mayVote, at).toSorted().join(" ")
  return { found, lists, seats, situation, write }
}

describe("the lists of voters that must agree", () => {
  it("are the acknowledged one alone while nothing changes it", () => {
    const { found, lists, seats, write } = start()
    found("2", seats.forWrite(true, 0))
    assert.strictEqual(write(1000), "a b c")
    assert.deepStrictEqual(lists(), ["a b c"])
  })

  it("are both while a write that changes it is not answered", () => {
    const { lists, write } = start()
    assert.strictEqual(write(0), "a b c")
    assert.deepStrictEqual(lists(), ["", "a b c"])
  })

  it("are not changed again before that is known: the write is repeated as it was", () => {
    const { lists, situation, write } = start()
    write(0)
    situation.members = members("a b c d")
    assert.strictEqual(write(1000), "a b c")
    assert.deepStrictEqual(lists(), ["", "a b c"])
  })

  it("are both still when the lease was read back at the same version: the write may arrive yet", () => {
    const { found, lists, write } = start()
    write(0)
    found("1", [])
    assert.deepStrictEqual(lists(), ["", "a b c"])
  })

  it("are what stands there once the lease has another version: what was to replace the old one never will", () => {
    const { found, lists, write } = start()
    write(0)
    found("2", [])
    assert.deepStrictEqual(lists(), [""])
    assert.strictEqual(write(1000), "a b c")
  })

  it("are withdrawn as they are given: without the key the list goes, and until then nothing is kept", () => {
    const { found, lists, seats, write } = start()
    found("2", seats.forWrite(true, 0))
    assert.strictEqual(write(1000, false), "")
    assert.deepStrictEqual(lists(), ["a b c", ""])
    found("3", [])
    assert.deepStrictEqual(lists(), [""])
  })
})

/** It had three voters, and one of them is no member any more. */
const withoutB = () => {
  const started = start()
  started.found("2", started.seats.forWrite(true, 0))
  started.situation.members = members("a c d")
  return started
}

describe("a voter that is away", () => {
  it("keeps its seat for a minute, and is asked where it was", () => {
    const { seats, write } = withoutB()
    assert.strictEqual(write(59_999), "a b c d")
    assert.deepStrictEqual(seats.peerOf("b"), peer("b"))
  })

  it("loses it then", () => {
    const { write } = withoutB()
    assert.strictEqual(write(60_000), "a c d")
  })

  it("keeps it when it comes back before", () => {
    const { situation, write } = withoutB()
    situation.members = members("a b c")
    write(59_000)
    situation.members = members("a c")
    assert.strictEqual(write(60_000), "a b c")
  })
})
