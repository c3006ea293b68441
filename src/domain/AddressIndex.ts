/**
 * Which addresses are free, and who has claimed the others: kept up to date claim by claim, so that a Service costs work
 * for that Service alone. A claim stands from the decision to grant until the last node has let go (S2, S14): the caller
 * releases it then, not when the Service is deleted. Immutable, so that a decision may try something and drop it.
 *
 * Claims are what `spec.allocations` says, whatever the pools say by now; pools only bound what can be chosen anew.
 */
import { HashMap, Option, Result } from "effect"
import * as Address from "./Address.ts"
import * as AddressRange from "./AddressRange.ts"
import * as FreeSet from "./FreeSet.ts"
import * as Pool from "./Pool.ts"
import * as PoolConflicts from "./PoolConflicts.ts"
import type { Refusal } from "./Refusal.ts"

/**
 * Who claims. `uid` tells a Service from its successor under the same name; it is the Service's where one is known, since
 * a claim is made before the IPAllocation exists, and the allocation's where its Service is gone.
 */
export interface Claimant {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

export interface Claim extends Claimant {
  /** Name of the pool that granted it, as it stands in `spec.allocations`. */
  readonly pool: string
}

type PerFamily<A> = { readonly [F in Address.Family]: A }

export interface AddressIndex {
  /** Both kinds, in the order in which they are asked. */
  readonly pools: ReadonlyArray<Pool.Pool>
  readonly conflicts: ReadonlyArray<PoolConflicts.Conflict>
  /** Private from here on: use the functions. */
  readonly shares: ReadonlyArray<PoolConflicts.Share>
  /** By name of the PersistentIPPool; an EphemeralIPPool lists no addresses. */
  readonly free: HashMap.HashMap<string, PerFamily<FreeSet.FreeSet>>
  readonly inUse: HashMap.HashMap<string, PerFamily<number>>
  readonly claims: HashMap.HashMap<Address.Address, Claim>
  readonly claimed: HashMap.HashMap<string, ReadonlyArray<Address.Address>>
}

export interface Ground {
  readonly pools: ReadonlyArray<Pool.Pool>
  readonly reserved: ReadonlyArray<PoolConflicts.Reserved>
}

export const make = (ground: Ground): AddressIndex => withGround(empty, ground)

const empty: AddressIndex = {
  pools: [],
  conflicts: [],
  shares: [],
  free: HashMap.empty(),
  inUse: HashMap.empty(),
  claims: HashMap.empty(),
  claimed: HashMap.empty()
}

/** Pools or the cluster's networks changed: all claims stay. O((ranges + claims) log). */
export const withGround = (index: AddressIndex, { pools, reserved }: Ground): AddressIndex => {
  const { shares, conflicts } = PoolConflicts.share(pools, reserved)
  const byPool = new Map<string, Array<PoolConflicts.Share>>()
  for (const share of shares) {
    if (share.owner._tag !== "Pool") continue
    const own = byPool.get(share.owner.pool.name)
    if (own === undefined) byPool.set(share.owner.pool.name, [share])
    else own.push(share)
  }
  const untouched: AddressIndex["free"] = HashMap.fromIterable(
    pools.filter(isPersistent).map((pool) => [pool.name, freeSets(pool, byPool.get(pool.name) ?? [])])
  )
  const ground = { ...index, pools: pools.toSorted(Pool.order), conflicts, shares, free: untouched }
  const free = HashMap.reduce(index.claims, untouched, (free, _claim, address) =>
    changed({ ...ground, free }, address, FreeSet.take)
  )
  return { ...ground, free }
}

const isPersistent = (pool: Pool.PoolRef): boolean => pool.kind === "PersistentIPPool"

const freeSets = (pool: Pool.Pool, own: ReadonlyArray<PoolConflicts.Share>): PerFamily<FreeSet.FreeSet> => ({
  IPv4: FreeSet.make("IPv4", pool.avoidBuggyIPs, own),
  IPv6: FreeSet.make("IPv6", pool.avoidBuggyIPs, own)
})

/** The free sets after `change` of the one that this address belongs to, if any. */
const changed = (
  index: AddressIndex,
  address: Address.Address,
  change: (set: FreeSet.FreeSet, value: bigint) => FreeSet.FreeSet
): AddressIndex["free"] => {
  const owner = ownerOf(index, address)
  if (owner?._tag !== "Pool") return index.free
  const family = Address.familyOf(address)
  return HashMap.modify(index.free, owner.pool.name, (sets) => ({
    ...sets,
    [family]: change(sets[family], Address.toBigInt(address))
  }))
}

/** Who may grant this address anew: a pool, or nobody because it is the cluster's own, or nobody lists it. O(log n). */
export const ownerOf = (index: AddressIndex, address: Address.Address): PoolConflicts.Owner | undefined =>
  AddressRange.find(index.shares, address)?.owner

export const claimOf = (index: AddressIndex, address: Address.Address): Claim | undefined =>
  Option.getOrUndefined(HashMap.get(index.claims, address))

/** In the order in which they were claimed. */
export const claimedBy = (index: AddressIndex, claimant: Claimant): ReadonlyArray<Address.Address> =>
  Option.getOrElse(HashMap.get(index.claimed, keyOf(claimant)), () => [])

const keyOf = ({ namespace, name, uid }: Claimant): string => `${namespace}/${name}/${uid}`

export const isSame = (a: Claimant, b: Claimant): boolean => keyOf(a) === keyOf(b)

/** Claimed by the same already: it may change the pool, no more. By another: refused, at most one claim (S2). */
export const claim = (
  index: AddressIndex,
  address: Address.Address,
  claim: Claim
): Result.Result<AddressIndex, Refusal> => {
  const existing = claimOf(index, address)
  if (existing !== undefined && !isSame(existing, claim)) {
    const holder = { namespace: existing.namespace, name: existing.name }
    return Result.fail({ reason: "AddressTaken", address, holder })
  }
  const before = existing === undefined ? index : released(index, address, existing)
  return Result.succeed({
    ...before,
    free: changed(before, address, FreeSet.take),
    inUse: counted(before, claim.pool, address, 1),
    claims: HashMap.set(before.claims, address, claim),
    claimed: HashMap.set(before.claimed, keyOf(claim), [...claimedBy(before, claim), address])
  })
}

/** Not claimed, or by another: the same index. */
export const release = (index: AddressIndex, address: Address.Address, claimant: Claimant): AddressIndex => {
  const existing = claimOf(index, address)
  return existing === undefined || !isSame(existing, claimant) ? index : released(index, address, existing)
}

const released = (index: AddressIndex, address: Address.Address, existing: Claim): AddressIndex => {
  const others = claimedBy(index, existing).filter((other) => other !== address)
  return {
    ...index,
    free: changed(index, address, FreeSet.give),
    inUse: counted(index, existing.pool, address, -1),
    claims: HashMap.remove(index.claims, address),
    claimed:
      others.length === 0
        ? HashMap.remove(index.claimed, keyOf(existing))
        : HashMap.set(index.claimed, keyOf(existing), others)
  }
}

const counted = (index: AddressIndex, pool: string, address: Address.Address, by: 1 | -1): AddressIndex["inUse"] => {
  const before = inUseOf(index, pool)
  const family = Address.familyOf(address)
  return HashMap.set(index.inUse, pool, { ...before, [family]: before[family] + by })
}

const inUseOf = (index: AddressIndex, pool: string): PerFamily<number> =>
  Option.getOrElse(HashMap.get(index.inUse, pool), () => ({ IPv4: 0, IPv6: 0 }))

/** The lowest free address that the pool may choose, and that is none of the few to be avoided. O(log n) for each of them. */
export const nextFree = (
  index: AddressIndex,
  pool: string,
  family: Address.Family,
  avoided: ReadonlyArray<Address.Address> = []
): Address.Address | undefined => {
  const sets = Option.getOrUndefined(HashMap.get(index.free, pool))
  if (sets === undefined) return undefined
  const others = avoided.filter((each) => Address.familyOf(each) === family).map(Address.toBigInt)
  const value = FreeSet.lowest(others.reduce(FreeSet.take, sets[family]))
  return value === undefined ? undefined : Address.fromBigInt(family, value)
}

export interface Counts {
  /** Listed by the pool; without `.0` and `.255` where these are avoided. */
  readonly total: number
  /** Granted from it, also what it lists no longer. */
  readonly inUse: number
  /** What it could still choose: free, and neither another pool's nor the cluster's. */
  readonly available: number
}

/** For the pool's status; numbers stop at 2^53-1, the largest that every JSON reader keeps exact. */
export const counts = (index: AddressIndex, pool: Pool.Pool): PerFamily<Counts> => {
  const inUse = inUseBy(index, pool)
  const sets = Option.getOrUndefined(HashMap.get(index.free, pool.name))
  const of = (family: Address.Family): Counts => ({
    total: saturated(totalOf(pool, family)),
    inUse: inUse[family],
    available: saturated(sets === undefined ? 0n : FreeSet.available(sets[family]))
  })
  return { IPv4: of("IPv4"), IPv6: of("IPv6") }
}

/** A claim has a pool's name alone: where one of the other kind has it, too, each claim is looked at. */
const inUseBy = (index: AddressIndex, { kind, name }: Pool.Pool): PerFamily<number> => {
  const both = index.pools.filter((pool) => pool.name === name)
  if (both.length < 2) return inUseOf(index, name)
  const inUse = { IPv4: 0, IPv6: 0 }
  for (const [address, claim] of index.claims) {
    const isOwn = claim.pool === name && Pool.named(both, name, address)?.kind === kind
    if (isOwn) inUse[Address.familyOf(address)]++
  }
  return inUse
}

const totalOf = (pool: Pool.Pool, family: Address.Family): bigint =>
  pool.ranges
    .filter((range) => range.family === family)
    .reduce((sum, { first, last }) => sum + FreeSet.countUsable(family, pool.avoidBuggyIPs, first, last), 0n)

const saturated = (count: bigint): number =>
  count > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(count)
