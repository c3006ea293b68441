import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import * as AddressRange from "../../../src/domain/AddressRange.ts"
import * as Pool from "../../../src/domain/Pool.ts"
import * as PoolConflicts from "../../../src/domain/PoolConflicts.ts"
import { enumerate, int, nearbyRange, options, range } from "./arbitraries.ts"

const pool = (name: string, year: number, ...addresses: ReadonlyArray<string>): Pool.Pool =>
  Pool.make("PersistentIPPool", {
    metadata: { name, creationTimestamp: `${year}-01-01T00:00:00Z` },
    spec: { addresses }
  }).pool

const told = (pools: ReadonlyArray<Pool.Pool>, reserved: ReadonlyArray<PoolConflicts.Reserved> = []) =>
  PoolConflicts.conflicts(pools, reserved).map(({ range, loser, winner }) => {
    const whose = winner._tag === "Pool" ? winner.pool.name : winner.owner
    return `${loser.name} loses ${AddressRange.format(range)} to ${whose}`
  })

describe("PoolConflicts.conflicts", () => {
  it("is silent about pools that touch", () => {
    assert.deepStrictEqual(told([pool("a", 2020, "192.0.2.0/25"), pool("b", 2021, "192.0.2.128/25")]), [])
  })

  it("gives what two pools list to the older, whatever their order", () => {
    const pools = [pool("a", 2021, "192.0.2.0/28"), pool("b", 2020, "192.0.2.8-192.0.2.20")]
    assert.deepStrictEqual(told(pools), ["a loses 192.0.2.8/29 to b"])
    assert.deepStrictEqual(told(pools.toReversed()), ["a loses 192.0.2.8/29 to b"])
  })

  it("gives it to the first name when both were created in one second", () => {
    assert.deepStrictEqual(told([pool("b", 2020, "192.0.2.1"), pool("a", 2020, "192.0.2.1")]), [
      "b loses 192.0.2.1 to a"
    ])
  })

  it("tells each loser once, and of the winner alone", () => {
    const pools = [pool("a", 2020, "192.0.2.0/30"), pool("b", 2021, "192.0.2.0/30"), pool("c", 2022, "192.0.2.0/30")]
    assert.deepStrictEqual(told(pools), ["b loses 192.0.2.0/30 to a", "c loses 192.0.2.0/30 to a"])
  })

  it("gives the cluster its own: a Node's address, pod CIDRs, the Service network", () => {
    const reserved = [
      { range: range("192.0.2.10"), owner: "Node worker-1" },
      { range: range("10.42.0.0/16"), owner: "the pod CIDR of Node worker-1" },
      { range: range("2001:db8:1::/112"), owner: "the Service network" }
    ]
    const pools = [pool("a", 2020, "192.0.2.8/30", "10.42.7.1", "2001:db8::/32")]
    assert.deepStrictEqual(told(pools, reserved), [
      "a loses 10.42.7.1 to the pod CIDR of Node worker-1",
      "a loses 192.0.2.10 to Node worker-1",
      "a loses 2001:db8:1::/112 to the Service network"
    ])
  })

  it("says whose it is and what to do", () => {
    const [conflict] = PoolConflicts.conflicts([pool("a", 2020, "192.0.2.1"), pool("b", 2021, "192.0.2.1")], [])
    assert.strictEqual(
      conflict && PoolConflicts.describe(conflict),
      "PersistentIPPool b, spec.addresses: 192.0.2.1 belongs to PersistentIPPool a, which is older, so this pool does " +
        "not grant it. Remove it here, or there."
    )
  })

  it("costs no more than its result: 20 pools of 1,000 single addresses each, all different", () => {
    const pools = Array.from({ length: 20 }, (_, p) =>
      pool(`p${p}`, 2000 + p, ...Array.from({ length: 1000 }, (_, n) => `10.${p}.${n >> 7}.${(n & 127) * 2}`))
    )
    const { shares, conflicts } = PoolConflicts.share(pools, [])
    assert.strictEqual(shares.length, 20_000)
    assert.strictEqual(conflicts.length, 0)
  })
})

const ground = {
  pools: Arbitrary.array(
    Arbitrary.all({ year: int(2020, 2022), ranges: Arbitrary.array(nearbyRange, { maxLength: 4 }) }),
    { maxLength: 5 }
  ),
  reserved: Arbitrary.array(nearbyRange, { maxLength: 3 })
}

describe("PoolConflicts.share", () => {
  it.prop(
    "gives every address to the cluster, else to the oldest pool that lists it, as asking one by one would",
    ground,
    ({ pools, reserved }) => {
      const made = pools.map(({ year, ranges }, index) => pool(`p${index}`, year, ...ranges.map(AddressRange.format)))
      const own = reserved.map((range, index) => ({ range, owner: `network ${index}` }))
      const { shares, conflicts } = PoolConflicts.share(made, own)
      const given = new Map(shares.flatMap((share) => enumerate(share).map((value) => [value, share.owner] as const)))
      assert.strictEqual(
        given.size,
        shares.reduce((sum, share) => sum + enumerate(share).length, 0),
        "disjoint"
      )
      const lost = new Set(
        conflicts.flatMap(({ range, loser }) => enumerate(range).map((value) => `${loser.name} ${value}`))
      )
      for (let value = 0x0a0000e0n; value < 0x0a0000e0n + 64n; value++) {
        const listing = made.filter(({ ranges }) => ranges.some((one) => AddressRange.containsValue(one, value)))
        const isOwn = own.some(({ range }) => AddressRange.containsValue(range, value))
        const winner = isOwn ? undefined : listing.toSorted(Pool.seniority)[0]
        const owner = given.get(value)
        assert.strictEqual(owner?._tag === "Pool" ? owner.pool.name : undefined, winner?.name)
        assert.strictEqual(owner?._tag === "Cluster", isOwn)
        for (const one of made) {
          const loses = listing.includes(one) && one !== winner
          assert.strictEqual(lost.has(`${one.name} ${value}`), loses, `${one.name} loses ${value}`)
        }
      }
    },
    options
  )

  it.prop(
    "does not depend on the order in which pools and networks are given",
    ground,
    ({ pools, reserved }) => {
      const made = pools.map(({ year, ranges }, i) => pool(`p${i}`, year, ...ranges.map(AddressRange.format)))
      const own = reserved.map((range, index) => ({ range, owner: `network ${index}` }))
      assert.deepStrictEqual(PoolConflicts.share(made, own), PoolConflicts.share(made.toReversed(), own.toReversed()))
    },
    options
  )
})
