import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result } from "effect"
import * as Address from "../../../src/domain/Address.ts"
import * as AddressIndex from "../../../src/domain/AddressIndex.ts"
import * as AddressRange from "../../../src/domain/AddressRange.ts"
import * as Pool from "../../../src/domain/Pool.ts"
import { address, boolean, enumerate, nearbyRange, nearbyValue, oneOf, options, range } from "./arbitraries.ts"

const pool = (spec: Pool.PoolObject["spec"], name = "rack-1", year = 2020): Pool.Pool =>
  Pool.make("PersistentIPPool", { metadata: { name, creationTimestamp: `${year}-01-01T00:00:00Z` }, spec }).pool

const indexOf = (...pools: ReadonlyArray<Pool.Pool>): AddressIndex.AddressIndex =>
  AddressIndex.make({ pools, reserved: [] })

const by = (name: string, of = "rack-1"): AddressIndex.Claim => ({
  namespace: "web",
  name,
  uid: `uid-${name}`,
  pool: of
})

const claimed = (index: AddressIndex.AddressIndex, text: string, claim = by("shop")): AddressIndex.AddressIndex =>
  Result.getOrThrow(AddressIndex.claim(index, address(text), claim))

const next = (index: AddressIndex.AddressIndex, family: Address.Family = "IPv4") =>
  AddressIndex.nextFree(index, "rack-1", family)

describe("AddressIndex", () => {
  it("gives the lowest free address, and one that was released before any higher one", () => {
    const pool1 = pool({ addresses: ["192.0.2.12", "192.0.2.10"] })
    let index = claimed(indexOf(pool1), "192.0.2.10")
    assert.strictEqual(next(index), "192.0.2.12")
    index = claimed(index, "192.0.2.12", by("blog"))
    assert.isUndefined(next(index))
    assert.strictEqual(next(AddressIndex.release(index, address("192.0.2.10"), by("shop"))), "192.0.2.10")
  })

  it("holds a /8 and an IPv6 /64 without enumerating them", () => {
    const pool1 = pool({ addresses: ["10.0.0.0/8", "2001:db8::/64"] })
    const index = claimed(claimed(indexOf(pool1), "10.0.0.0"), "2001:db8::")
    assert.strictEqual(next(index), "10.0.0.1")
    assert.strictEqual(next(index, "IPv6"), "2001:db8::1")
    assert.deepStrictEqual(AddressIndex.counts(index, pool1), {
      IPv4: { total: 16_777_216, inUse: 1, available: 16_777_215 },
      IPv6: { total: Number.MAX_SAFE_INTEGER, inUse: 1, available: Number.MAX_SAFE_INTEGER }
    })
  })

  it("skips .0 and .255 where they are to be avoided, and still lets them be asked for by name", () => {
    const pool1 = pool({ addresses: ["192.0.2.254-192.0.3.1"], avoidBuggyIPs: true })
    const empty = indexOf(pool1)
    assert.strictEqual(next(empty), "192.0.2.254")
    const index = claimed(claimed(empty, "192.0.2.254"), "192.0.2.255", by("blog"))
    assert.strictEqual(next(index), "192.0.3.1")
    assert.deepStrictEqual(AddressIndex.counts(index, pool1).IPv4, { total: 2, inUse: 2, available: 1 })
    assert.isUndefined(next(claimed(index, "192.0.3.1", by("api"))))
  })

  it("does not avoid what only looks like them in IPv6", () => {
    assert.strictEqual(
      next(indexOf(pool({ addresses: ["2001:db8::/120"], avoidBuggyIPs: true })), "IPv6"),
      "2001:db8::"
    )
  })

  it("refuses a second claim and names the holder (S2)", () => {
    const index = claimed(indexOf(pool({ addresses: ["192.0.2.10"] })), "192.0.2.10")
    const other = { ...by("shop"), uid: "another" }
    assert.deepStrictEqual(
      AddressIndex.claim(index, address("192.0.2.10"), other),
      Result.fail({
        reason: "AddressTaken",
        address: address("192.0.2.10"),
        holder: { namespace: "web", name: "shop" }
      })
    )
    assert.strictEqual(AddressIndex.claimOf(index, address("192.0.2.10"))?.uid, "uid-shop")
  })

  it("ignores a release by another than the holder, such as a Service of the same name that came later", () => {
    const index = claimed(indexOf(pool({ addresses: ["192.0.2.10"] })), "192.0.2.10")
    const after = AddressIndex.release(index, address("192.0.2.10"), { ...by("shop"), uid: "another" })
    assert.strictEqual(AddressIndex.claimOf(after, address("192.0.2.10"))?.uid, "uid-shop")
    assert.isUndefined(next(after))
  })

  it("keeps claims through an edit of the pools, also of addresses that no pool lists any more", () => {
    const before = claimed(claimed(indexOf(pool({ addresses: ["192.0.2.10/31"] })), "192.0.2.10"), "192.0.2.11")
    const edited = pool({ addresses: ["192.0.2.11-192.0.2.12"] })
    const index = AddressIndex.withGround(before, { pools: [edited], reserved: [] })
    assert.strictEqual(next(index), "192.0.2.12")
    assert.deepStrictEqual(AddressIndex.claimedBy(index, by("shop")), [address("192.0.2.10"), address("192.0.2.11")])
    assert.deepStrictEqual(AddressIndex.counts(index, edited).IPv4, { total: 2, inUse: 2, available: 1 })
    const freed = AddressIndex.release(index, address("192.0.2.10"), by("shop"))
    assert.strictEqual(next(freed), "192.0.2.12", "an address that left the pool does not return to it")
  })

  it("takes an address that two pools list out of both, whoever granted it", () => {
    const older = pool({ addresses: ["192.0.2.10"] }, "older", 2019)
    const younger = pool({ addresses: ["192.0.2.10"] }, "younger", 2021)
    const index = claimed(indexOf(older, younger), "192.0.2.10", by("shop", "younger"))
    assert.isUndefined(AddressIndex.nextFree(index, "older", "IPv4"))
    assert.isUndefined(AddressIndex.nextFree(index, "younger", "IPv4"))
    assert.strictEqual(AddressIndex.counts(index, younger).IPv4.inUse, 1)
    assert.strictEqual(AddressIndex.counts(index, older).IPv4.inUse, 0)
  })

  it("counts for each of two pools of one name what is its own", () => {
    const lister = pool({ addresses: ["192.0.2.10"] }, "twice")
    const { pool: buyer } = Pool.make("EphemeralIPPool", { metadata: { name: "twice" }, spec: {} })
    const both = claimed(
      claimed(indexOf(lister, buyer), "192.0.2.10", by("shop", "twice")),
      "198.18.0.1",
      by("blog", "twice")
    )
    const index = claimed(both, "198.18.0.2", by("api", "other"))
    assert.strictEqual(AddressIndex.counts(index, lister).IPv4.inUse, 1)
    assert.strictEqual(AddressIndex.counts(index, buyer).IPv4.inUse, 1)
    const alone = AddressIndex.withGround(index, { pools: [buyer], reserved: [] })
    assert.strictEqual(AddressIndex.counts(alone, buyer).IPv4.inUse, 2)
  })

  it("grants nothing of the cluster's own", () => {
    const reserved = [{ range: range("192.0.2.10"), owner: "Node worker-1" }]
    const index = AddressIndex.make({ pools: [pool({ addresses: ["192.0.2.10/31"] })], reserved })
    assert.strictEqual(next(index), "192.0.2.11")
    assert.deepStrictEqual(AddressIndex.ownerOf(index, address("192.0.2.10")), {
      _tag: "Cluster",
      owner: "Node worker-1"
    })
  })
})

/** What the index should be: one set of free numbers, asked one by one. */
const model = (pool: Pool.Pool, claims: ReadonlyMap<bigint, string>) => {
  const usable = (value: bigint): boolean => !(pool.avoidBuggyIPs && (value % 256n === 0n || value % 256n === 255n))
  const listed = pool.ranges.flatMap(enumerate).filter(usable)
  const free = listed.filter((value) => !claims.has(value))
  return { lowest: free[0], total: listed.length, available: free.length }
}

describe("AddressIndex, against a naive model", () => {
  it.prop(
    "agrees after any sequence of claims and releases by two Services",
    {
      ranges: Arbitrary.array(nearbyRange, { minLength: 1, maxLength: 6 }),
      avoidBuggyIPs: boolean,
      steps: Arbitrary.array(
        Arbitrary.all({ what: oneOf("claim", "claimNext", "release"), who: oneOf("shop", "blog"), value: nearbyValue }),
        { maxLength: 60 }
      )
    },
    ({ ranges, avoidBuggyIPs, steps }) => {
      const one = pool({ addresses: ranges.map(AddressRange.format), avoidBuggyIPs })
      let index = indexOf(one)
      const claims = new Map<bigint, string>()
      for (const { what, who, value } of steps) {
        const wanted = what === "claimNext" ? next(index) : Address.fromBigInt("IPv4", value)
        if (wanted === undefined) continue
        const number = Address.toBigInt(wanted)
        if (what === "release") {
          index = AddressIndex.release(index, wanted, by(who))
          if (claims.get(number) === who) claims.delete(number)
        } else {
          const result = AddressIndex.claim(index, wanted, by(who))
          assert.strictEqual(Result.isSuccess(result), (claims.get(number) ?? who) === who)
          if (Result.isSuccess(result)) {
            index = result.success
            claims.set(number, who)
          }
        }
        const expected = model(one, claims)
        assert.strictEqual(
          next(index),
          expected.lowest === undefined ? undefined : Address.fromBigInt("IPv4", expected.lowest)
        )
        assert.deepStrictEqual(AddressIndex.counts(index, one).IPv4, {
          total: expected.total,
          inUse: claims.size,
          available: expected.available
        })
      }
      for (const who of ["shop", "blog"]) {
        const expected = [...claims]
          .filter(([, owner]) => owner === who)
          .map(([value]) => Address.fromBigInt("IPv4", value))
        assert.deepStrictEqual(new Set(AddressIndex.claimedBy(index, by(who))), new Set(expected))
      }
      assert.deepStrictEqual(
        AddressIndex.nextFree(AddressIndex.withGround(index, { pools: [one], reserved: [] }), "rack-1", "IPv4"),
        next(index),
        "a rebuilt index is the same"
      )
    },
    options
  )

  it.prop(
    "leaves the index that it was made from as it was",
    { range: nearbyRange, value: nearbyValue },
    ({ range, value }) => {
      const index = indexOf(pool({ addresses: [AddressRange.format(range)] }))
      const before = next(index)
      const wanted = Address.fromBigInt("IPv4", value)
      Result.getOrThrow(AddressIndex.claim(index, wanted, by("shop")))
      assert.strictEqual(next(index), before)
      assert.isUndefined(AddressIndex.claimOf(index, wanted))
    },
    options
  )

  it("stays balanced: 20,000 claims in a row, then every other one released, in logarithmic depth", () => {
    let index = indexOf(pool({ addresses: ["10.0.0.0/8"] }))
    const taken: Array<Address.Address> = []
    for (let n = 0; n < 20_000; n++) {
      const wanted = next(index) ?? assert.fail("a /8 has more")
      index = Result.getOrThrow(AddressIndex.claim(index, wanted, by(`s${n}`)))
      taken.push(wanted)
    }
    for (const [n, one] of taken.entries()) if (n % 2 === 0) index = AddressIndex.release(index, one, by(`s${n}`))
    const sets = [...index.free].map(([, { IPv4 }]) => IPv4.root?.height ?? 0)
    // An AVL tree of n nodes is at most 1.44 log2(n + 2) high: 10,001 runs of free addresses.
    assert.isAtMost(sets[0] ?? 99, 19)
    assert.strictEqual(next(index), "10.0.0.0")
  })
})
