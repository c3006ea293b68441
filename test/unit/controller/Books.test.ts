import { assert, describe, it } from "@effect/vitest"
import type { IPAllocation } from "../../../src/api/IPAllocation.ts"
import { acknowledgementsOf, labelsOf } from "../../../src/api/AllocationEntries.ts"
import { wireOf, wireOfIntent } from "../../../src/api/AllocationEntries.ts"
import { Books } from "../../../src/controller/Books.ts"
import type { ProjectView } from "../../../src/controller/cloud/CloudBook.ts"
import { reservedOf } from "../../../src/controller/ReservedAddresses.ts"
import * as Waiting from "../../../src/controller/Waiting.ts"
import * as AddressIndex from "../../../src/domain/AddressIndex.ts"
import * as Pool from "../../../src/domain/Pool.ts"
import type { CloudAddress } from "../../../src/ports/Cloud.ts"
import { address } from "../domain/arbitraries.ts"
import { acknowledgements, addressOf, entries } from "../domain/notation.ts"

const allocationOf = (name: string, present: string, said = "", createdAt = "2026-01-01T00:00:00Z"): IPAllocation => ({
  metadata: {
    name,
    namespace: "shop",
    creationTimestamp: createdAt,
    ownerReferences: [{ apiVersion: "v1", kind: "Service", name, uid: `uid-${name}` }]
  },
  spec: { type: "persistent", allocations: entries(present).map(wireOf) },
  status: { addresses: acknowledgements(said).map((each) => ({ ...each })) }
})

const newBooks = (isFenced: (node: string) => boolean = () => false) => {
  const books = new Books(({ node }) => isFenced(node))
  const woken: Array<string> = []
  books.wake = (keys) => woken.push(...keys)
  books.onPool("PersistentIPPool", "rack-1", {
    metadata: { name: "rack-1" },
    spec: { addresses: ["192.0.2.1-192.0.2.3"], autoAssign: true }
  })
  const record = (name: string, after: IPAllocation | undefined) => books.onAllocation({ key: `shop/${name}`, after })
  const ownerOf = (letter: string) => AddressIndex.claimOf(books.addresses.index, addressOf(letter))?.name
  const takeWoken = () => woken.splice(0)
  return { books, record, ownerOf, takeWoken }
}

describe("Books, claims", () => {
  it("stay while somebody who is not fenced says that it serves, whatever the spec says (S14)", () => {
    const { ownerOf, record } = newBooks()
    record("web", allocationOf("web", "a@n1.1", "a+n1.1"))
    record("web", allocationOf("web", "", "a+n1.1"))
    assert.strictEqual(ownerOf("a"), "web")
    record("web", allocationOf("web", "", "a-n1.1"))
    assert.isUndefined(ownerOf("a"))
  })

  it("stay while a former holder must let go", () => {
    const { ownerOf, record } = newBooks()
    record("web", allocationOf("web", "a<n1.1"))
    assert.strictEqual(ownerOf("a"), "web")
  })

  it("do not stay for what a fenced node once said", () => {
    const { ownerOf, record } = newBooks((node) => node === "n1")
    record("web", allocationOf("web", "", "a+n1.1"))
    assert.isUndefined(ownerOf("a"))
  })

  it.each([
    [
      "older one",
      allocationOf("old", "a", "", "2026-01-01T00:00:00Z"),
      allocationOf("new", "a", "", "2026-01-02T00:00:00Z"),
      "old"
    ],
    [
      "served one",
      allocationOf("idle", "a"),
      allocationOf("served", "a@n1.1", "a+n1.1", "2026-02-02T00:00:00Z"),
      "served"
    ]
  ])("go to the %s of two, in whatever order they are seen (S2)", (_, one, other, winner) => {
    for (const order of [
      [one, other],
      [other, one]
    ]) {
      const { books, ownerOf, record } = newBooks()
      for (const each of order) record(each.metadata.name, each)
      assert.strictEqual(ownerOf("a"), winner)
      const loser = order.find(({ metadata }) => metadata.name !== winner)?.metadata.name ?? ""
      assert.strictEqual(books.addresses.claims.rivalOf(addressOf("a"), `shop/${loser}`)?.name, winner)
      record(winner, undefined)
      assert.strictEqual(ownerOf("a"), loser, "the loser's claim is recorded when the winner's goes")
    }
  })

  it("of what is about to be written hold against others, and are taken back", () => {
    const { books, ownerOf, record } = newBooks()
    const claimant = { namespace: "shop", name: "web", uid: "uid-web" }
    assert.isTrue(books.addresses.reserve(addressOf("a"), { ...claimant, pool: "rack-1" }))
    assert.isFalse(books.addresses.reserve(addressOf("a"), { ...claimant, name: "thief", uid: "t", pool: "rack-1" }))
    books.addresses.release(addressOf("a"), claimant)
    assert.isUndefined(ownerOf("a"))
    books.addresses.reserve(addressOf("a"), { ...claimant, pool: "rack-1" })
    record("web", allocationOf("web", "a@n1.1"))
    books.addresses.release(addressOf("a"), claimant)
    assert.strictEqual(ownerOf("a"), "web", "what is written stands")
  })

  it("are read from the labels of an object that cannot be decoded", () => {
    const { books, ownerOf } = newBooks()
    const { metadata } = allocationOf("web", "")
    const object = allocationOf("web", "a@n1.1")
    const labels = labelsOf(entries("a@n1.1"), acknowledgementsOf(object), () => false)
    books.onUnreadableAllocation("shop/web", { ...metadata, labels })
    assert.strictEqual(ownerOf("a"), "web")
    books.onAllocation({ key: "shop/web", after: undefined })
    assert.isUndefined(ownerOf("a"))
  })

  it("follow the labels of one that cannot be read, which somebody who can goes on writing", () => {
    const { books, ownerOf, record, takeWoken } = newBooks()
    const { metadata } = allocationOf("web", "")
    const see = (present: string) =>
      books.onUnreadableAllocation("shop/web", { ...metadata, labels: labelsOf(entries(present), [], () => false) })
    see("a@n1.1")
    books.wait("shop/for-a", [Waiting.addressTopic(addressOf("a"))])
    see("b@n1.1")
    assert.deepStrictEqual([ownerOf("a"), ownerOf("b")], [undefined, "web"])
    assert.deepStrictEqual(takeWoken(), ["shop/for-a"])
    record("web", allocationOf("web", "b@n1.1"))
    see("c@n1.1")
    assert.deepStrictEqual([ownerOf("b"), ownerOf("c")], ["web", "web"], "what was readable of it last stays as it is")
    record("web", allocationOf("web", "c@n1.1"))
    assert.deepStrictEqual([ownerOf("b"), ownerOf("c")], [undefined, "web"])
  })
})

describe("Books, who is woken", () => {
  it("is one of thousands that wait for a full pool, and the next when that one does not take it", () => {
    const { books, record, takeWoken } = newBooks()
    for (const letter of ["a", "b", "c"]) record(letter, allocationOf(letter, `${letter}@n1.1`))
    const topics = ["pools", Waiting.poolTopic("rack-1", "IPv4")] as const
    for (let n = 0; n < 5_000; n++) books.wait(`shop/w${n}`, topics)
    takeWoken()
    record("a", undefined)
    assert.deepStrictEqual(takeWoken(), ["shop/w0"])
    books.wait("shop/w0", [])
    assert.deepStrictEqual(takeWoken(), ["shop/w1"])
    record("w1", allocationOf("w1", "a@n1.1"))
    books.wait("shop/w1", [])
    assert.deepStrictEqual(takeWoken(), [], "nothing is free any more")
  })

  it("is who keeps an address that another had to let go of", () => {
    const { record, takeWoken } = newBooks()
    record("old", allocationOf("old", "a@n1.1", "", "2026-01-01T00:00:00Z"))
    record("new", allocationOf("new", "a@n2.1", "", "2026-01-02T00:00:00Z"))
    takeWoken()
    record("new", undefined)
    assert.deepStrictEqual(takeWoken(), ["shop/old"])
  })

  it("is who waits for that very address", () => {
    const { books, record, takeWoken } = newBooks()
    record("web", allocationOf("web", "a@n1.1 b@n1.1"))
    books.wait("shop/for-a", [Waiting.addressTopic(addressOf("a"))])
    books.wait("shop/for-b", [Waiting.addressTopic(addressOf("b"))])
    books.wait("shop/for-other", [Waiting.addressTopic(address("203.0.113.1"))])
    takeWoken()
    record("web", allocationOf("web", "a@n1.1"))
    assert.deepStrictEqual(takeWoken(), ["shop/for-b"])
  })
})

describe("Books, an IPAllocation that cannot be read", () => {
  it("counts in the pool that lists what it claims, also when that is known later", () => {
    const { metadata } = allocationOf("web", "")
    const labels = labelsOf(entries("a@n1.1"), [], () => false)
    const books = new Books(() => false)
    books.onUnreadableAllocation("shop/web", { ...metadata, labels })
    const object = { metadata: { name: "rack-1" }, spec: { addresses: ["192.0.2.1-192.0.2.3"], autoAssign: true } }
    books.onPool("PersistentIPPool", "rack-1", object)
    const { inUse } = AddressIndex.counts(books.addresses.index, Pool.make("PersistentIPPool", object).pool).IPv4
    assert.strictEqual(inUse, 1)
  })
})

describe("Books, loads and keys", () => {
  it("count what each node holds, and forget exactly what was recorded", () => {
    const { books, record } = newBooks()
    record("web", allocationOf("web", "a@n1.1 b@n1.1<n2.1", "c+n3.1"))
    assert.strictEqual(books.loadByNode.get("n1"), 2)
    for (const node of ["n1", "n2", "n3"]) assert.isTrue(books.keysByNode.get(node).has("shop/web"), node)
    record("web", allocationOf("web", "a@n2.2"))
    assert.deepStrictEqual([...books.loadByNode], [["n2", 1]])
    assert.isFalse(books.keysByNode.get("n3").has("shop/web"))
    record("web", undefined)
    assert.deepStrictEqual([...books.loadByNode], [])
    assert.strictEqual(books.keysByPool.get("rack-1").size, 0)
  })
})

const bought = (id: string, claim: string): CloudAddress => ({
  id,
  name: `plenuslb-ephemeral-${id}`,
  family: "IPv4",
  network: `198.18.0.${id}`,
  server: undefined,
  home: { location: "fsn1", zone: "eu-central" },
  isBlocked: false,
  isProtected: false,
  labels: { "managed-by": "plenuslb", cluster: "own", ownership: "created", claim },
  reverseNames: {}
})

/** Two pools of one project, in which these are bought, for an IPAllocation that wants one of the pool "one". */
const countsWith = (...addresses: ReadonlyArray<CloudAddress>) => {
  const { books, record } = newBooks()
  const spec = { cloudIntegration: { hetzner: {} } }
  const pools = ["one", "other"].map((name) => ({ metadata: { name }, spec }))
  for (const pool of pools) books.onPool("EphemeralIPPool", pool.metadata.name, pool)
  const { metadata } = allocationOf("web", "")
  const allocations = [wireOfIntent({ pool: "one", family: "IPv4", cloudProvider: "hetzner" })]
  record("web", { metadata: { ...metadata, uid: "uid-1" }, spec: { type: "ephemeral", allocations } })
  books.clouds.cluster = "own"
  const view: Omit<ProjectView, "project"> = {
    edition: "",
    servers: [],
    addresses,
    unreadable: [],
    resolutions: new Map(),
    deleted: new Set()
  }
  const project = Object.create(null)
  for (const {
    metadata: { name }
  } of pools)
    books.clouds.see(`EphemeralIPPool/${name}`, { ...view, project })
  return pools.map((pool) => books.countBought(Pool.make("EphemeralIPPool", pool).pool))
}

describe("Books, what a pool has bought", () => {
  it.each<[string, ReadonlyArray<CloudAddress>, ReadonlyArray<number>]>([
    ["nothing", [], [0, 0]],
    ["not written down yet, by the pool that it is for", [bought("1", "uid-1")], [1, 0]],
    ["for what is no more, by every pool", [bought("1", "uid-1"), bought("2", "gone")], [2, 1]]
  ])("is counted: %s", (_, addresses, expected) => {
    assert.deepStrictEqual(countsWith(...addresses), expected)
  })
})

describe("Books, what a list of many nodes costs", () => {
  it("is one look through all pools and claims, when somebody asks", () => {
    const { books, ownerOf, record } = newBooks()
    record("web", allocationOf("web", "a@n1.1"))
    let looksCount = 0
    const poolsOf = books.pools.values.bind(books.pools)
    books.pools.values = () => {
      looksCount += 1
      return poolsOf()
    }
    for (let index = 0; index < 100; index++) {
      const name = `node-${index}`
      const spec = { podCIDR: `10.0.${index}.0/24` }
      books.onNode(name, { apiVersion: "v1", kind: "Node", metadata: { name }, spec }, reservedOf)
    }
    assert.strictEqual(ownerOf("a"), "web")
    assert.strictEqual(AddressIndex.ownerOf(books.addresses.index, address("10.0.1.7"))?._tag, "Cluster")
    assert.strictEqual(looksCount, 1)
  })
})
