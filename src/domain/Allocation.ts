/**
 * Which addresses a Service gets, keeps, and loses. Pure and total; it decides names only: what is written first, and
 * when an address that goes is taken down (after its successor is live), is the plan's business.
 *
 * - What `spec.allocations` holds is the authority: it stays while the Service still wants it and its pool still has it,
 *   whatever else changed in the pool (rules, priority, `disabled`, deletion), in the index or in the order of pools.
 * - An address that the Service wants no more stays until another of its family is granted, where one is wanted.
 * - Decided again after it was applied, the decision changes nothing.
 *
 * The caller must know all pools: to a controller whose cache is still empty, every address would have left its pool.
 */
import { Result } from "effect"
import * as Address from "./Address.ts"
import * as AddressIndex from "./AddressIndex.ts"
import * as Pool from "./Pool.ts"
import type { Refusal } from "./Refusal.ts"
import type { ServiceRequest } from "./ServiceRequest.ts"

/** `persistent`: asked for by name. As in v0.4, and the name of no pool kind: autoAssign gives `ephemeral` ones, too. */
export type AllocationType = "persistent" | "ephemeral"

/** An entry of `spec.allocations`. */
export interface Held {
  readonly address: Address.Address
  /** A name; the kind is found by looking which pool of that name lists the address. */
  readonly pool: string
}

export interface Situation {
  readonly request: ServiceRequest
  readonly namespaceLabels: { readonly [key: string]: string }
  /** `spec.type` and `spec.allocations`; v0.4's entries without an address left out. */
  readonly type: AllocationType | undefined
  readonly current: ReadonlyArray<Held>
  readonly index: AddressIndex.AddressIndex
  /** What was bought for this claim by the EphemeralIPPool of this name; also when it is a PersistentIPPool's by now. */
  readonly boughtBy: (pool: string, family: Address.Family) => Address.Address | undefined
  /** Bought, and deleted at the provider since: it is worth nothing any more, and stays until its successor is served. */
  readonly isDeleted: (held: Held) => boolean
  /** A foreign machine answers for it: it is worth nothing as long as another can be had. */
  readonly isInUse: (held: Held) => boolean
  /** For which a foreign machine answered a while ago: chosen last. */
  readonly avoided: ReadonlyArray<Address.Address>
  /** Whether the address that was bought is the very one that the PersistentIPPool of this name has in its cloud. */
  readonly mayPromote: (address: Address.Address, pool: string) => boolean
}

export type Outcome =
  /** Stays as it is. `pool` may be another than before: its pool is gone, and this one lists it and admits the Service. */
  | { readonly _tag: "Keep"; readonly address: Address.Address; readonly pool: string }
  /** Claim it in the index, then write it. */
  | { readonly _tag: "Grant"; readonly address: Address.Address; readonly pool: string }
  /** Commit that one is to be bought, then buy it. Or it was, and waits until the Service that has its address lets go. */
  | { readonly _tag: "Buy"; readonly pool: string; readonly family: Address.Family }
  | { readonly _tag: "Refuse"; readonly refusal: Refusal }
  /** Not wanted any more, and kept because its successor was refused. */
  | { readonly _tag: "Retain"; readonly address: Address.Address; readonly pool: string }
  /** Take it down once what is granted here is live. */
  | {
      readonly _tag: "Release"
      readonly address: Address.Address
      readonly pool: string
      readonly reason: "NotWanted" | "RemovedFromPool"
    }

export interface Decision {
  readonly type: AllocationType
  readonly outcomes: ReadonlyArray<Outcome>
  /** Why the Service waits: the first refusal that is one. A second family that is only preferred makes nobody wait. */
  readonly pending: Refusal | undefined
}

export const decide = (situation: Situation): Decision => {
  const { request, current } = situation
  const held = current.map((entry): Standing => ({ ...entry, stands: standing(situation, entry) }))
  const wanted = request.addresses.length > 0 ? decideNamed(situation, held) : decideAny(situation, held)
  const kept = new Set(wanted.flatMap((outcome) => (outcome._tag === "Keep" ? [outcome.address] : [])))
  const surplus = held.filter((entry) => !kept.has(entry.address)).map((entry) => letGo(entry, wanted, situation))
  const refusals = wanted.flatMap((outcome) => (outcome._tag === "Refuse" ? [outcome.refusal] : []))
  const served = wanted.some(({ _tag }) => _tag === "Keep" || _tag === "Grant")
  return {
    type: request.addresses.length > 0 ? "persistent" : "ephemeral",
    outcomes: [...wanted, ...surplus],
    pending: refusals.find((refusal) => !(served && request.prefersDualStack && isOfSecondFamily(refusal)))
  }
}

const isOfSecondFamily = (refusal: Refusal): boolean =>
  refusal.reason === "FamilyNotAvailable" || refusal.reason === "PoolExhausted"

/** The entries of `spec.allocations` once everything that was decided has happened. */
export const settled = (decision: Decision): ReadonlyArray<Held> =>
  decision.outcomes.flatMap((outcome) =>
    outcome._tag === "Refuse" || outcome._tag === "Release" || outcome._tag === "Buy"
      ? []
      : [{ address: outcome.address, pool: outcome.pool }]
  )

/** An entry, and the pool that stands for it now: its own, or one that took it over. */
interface Standing extends Held {
  readonly stands: { readonly pool: string } | undefined
}

const standing = (situation: Situation, entry: Held): Standing["stands"] => {
  const own = poolNamed(situation.index, entry.pool, entry.address)
  if (own !== undefined && stillHas(own, entry.address)) return { pool: entry.pool }
  const heir = AddressIndex.ownerOf(situation.index, entry.address)
  const pool = heir?._tag === "Pool" ? poolNamed(situation.index, heir.pool.name) : undefined
  return pool !== undefined && Pool.serves(pool, customerOf(situation)) === undefined ? { pool: pool.name } : undefined
}

/** An EphemeralIPPool lists nothing: what was bought for it is its own as long as it is there. */
const stillHas = (pool: Pool.Pool, address: Address.Address): boolean =>
  pool.kind === "EphemeralIPPool" || pool.keepInUse || Pool.lists(pool, address)

const poolNamed = ({ pools }: AddressIndex.AddressIndex, name: string, address?: Address.Address) =>
  Pool.named(pools, name, address)

const customerOf = ({ request, namespaceLabels }: Situation): Pool.Customer => ({
  namespace: request.namespace,
  namespaceLabels,
  serviceLabels: request.labels
})

const letGo = (entry: Standing, wanted: ReadonlyArray<Outcome>, { isDeleted }: Situation): Outcome => {
  const { address, pool } = entry
  if (entry.stands === undefined) return { _tag: "Release", address, pool, reason: "RemovedFromPool" }
  const family = Address.familyOf(address)
  const waits = wanted.some(
    (outcome) =>
      (outcome._tag === "Refuse" &&
        (isReplacedLater(outcome.refusal, family) || (outcome.refusal.reason === "NoPool" && isDeleted(entry)))) ||
      (outcome._tag === "Buy" && outcome.family === family)
  )
  return waits ? { _tag: "Retain", address, pool } : { _tag: "Release", address, pool, reason: "NotWanted" }
}

/** Whether a wish that was refused is for an address in the place of one of this family. */
const isReplacedLater = (refusal: Refusal, family: Address.Family): boolean => {
  if (refusal.reason === "NoPool" || refusal.reason === "FamilyNotRequested") return false
  if ("family" in refusal) return refusal.family === family
  return !("address" in refusal) || refusal.address === undefined || Address.familyOf(refusal.address) === family
}

const keep = (entry: Standing, pool: string): Outcome => ({ _tag: "Keep", address: entry.address, pool })
const refuse = (refusal: Refusal): Outcome => ({ _tag: "Refuse", refusal })

const decideNamed = (situation: Situation, held: ReadonlyArray<Standing>): ReadonlyArray<Outcome> =>
  situation.request.addresses.map((address) => {
    const entry = held.find((other) => other.address === address)
    if (entry?.stands !== undefined) return keep(entry, promotedTo(situation, address, entry.stands.pool))
    const granted = grantNamed(situation, address)
    if (Result.isSuccess(granted)) return { _tag: "Grant", address, pool: granted.success }
    const removed = entry !== undefined && granted.failure.reason === "AddressNotInAnyPool"
    return refuse(removed ? { reason: "AddressRemovedFromPool", address, pool: entry.pool } : granted.failure)
  })

/** What was bought for the Service, and is named by it and by a PersistentIPPool now, is the user's from here on. */
const promotedTo = (situation: Situation, address: Address.Address, present: string): string => {
  const { index, mayPromote } = situation
  if (poolNamed(index, present, address)?.kind !== "EphemeralIPPool") return present
  const owner = AddressIndex.ownerOf(index, address)
  const heir = owner?._tag === "Pool" ? poolNamed(index, owner.pool.name) : undefined
  const isServed = heir !== undefined && Pool.serves(heir, customerOf(situation)) === undefined
  return isServed && mayPromote(address, heir.name) ? heir.name : present
}

/** The name of the pool that grants this very address. */
const grantNamed = (situation: Situation, address: Address.Address): Result.Result<string, Refusal> => {
  const { request, index } = situation
  if (request.families.length > 0 && !request.families.includes(Address.familyOf(address))) {
    return Result.fail({ reason: "FamilyNotRequested", address, families: request.families })
  }
  const owner = AddressIndex.ownerOf(index, address)
  if (owner?._tag === "Cluster") {
    const pool = index.pools.find((other) => Pool.lists(other, address))
    return Result.fail(
      pool === undefined
        ? { reason: "AddressNotInAnyPool", address }
        : { reason: "AddressReserved", address, pool: Pool.refOf(pool), owner: owner.owner }
    )
  }
  const pool = owner === undefined ? undefined : poolNamed(index, owner.pool.name)
  if (pool === undefined) return Result.fail({ reason: "AddressNotInAnyPool", address })
  const refusal = Pool.serves(pool, customerOf(situation))
  if (refusal !== undefined) return Result.fail({ ...refusal, address })
  const holder = AddressIndex.claimOf(index, address)
  return holder === undefined || AddressIndex.isSame(holder, request)
    ? Result.succeed(pool.name)
    : Result.fail({ reason: "AddressTaken", address, holder: { namespace: holder.namespace, name: holder.name } })
}

/** One address per family, from the pool that is named, else from the first that gives unasked. */
const decideAny = (situation: Situation, held: ReadonlyArray<Standing>): ReadonlyArray<Outcome> => {
  const { families } = situation.request
  const slots: ReadonlyArray<Address.Family | undefined> = families.length > 0 ? families : [undefined]
  const usable = held.filter((entry) => fits(situation, entry))
  const fitting = usable.filter((entry) => !situation.isInUse(entry))
  const missing = slots.filter((family) => !fitting.some((entry) => isOf(family, entry.address)))
  const asked = missing.length > 0 ? askedPools(situation) : Result.succeed([])
  return slots.flatMap((family): ReadonlyArray<Outcome> => {
    const entry = fitting.find((other) => isOf(family, other.address))
    if (entry?.stands !== undefined) return [keep(entry, entry.stands.pool)]
    const occupied = usable.find((other) => isOf(family, other.address))
    const stays = occupied?.stands === undefined ? undefined : keep(occupied, occupied.stands.pool)
    if (Result.isFailure(asked)) return stays ? [stays] : family === missing[0] ? [refuse(asked.failure)] : []
    const granted = grantAny(situation, held, { pools: asked.success, family, avoided: situation.avoided })
    if (granted._tag !== "Refuse") return [granted]
    // Better one that may become free than none; and of two such it keeps the one that it has.
    return [stays ?? grantAny(situation, held, { pools: asked.success, family, avoided: [] })]
  })
}

const isOf = (family: Address.Family | undefined, address: Address.Address): boolean =>
  family === undefined || Address.familyOf(address) === family

/** Whether what is held already is what "any address" (of the named pool) would give. */
const fits = ({ index, isDeleted, request, type }: Situation, entry: Standing): boolean => {
  const { stands } = entry
  if (stands === undefined || isDeleted(entry)) return false
  if (request.pool !== undefined) return stands.pool === request.pool
  return type === "ephemeral" || (poolNamed(index, stands.pool, entry.address)?.autoAssign ?? false)
}

/** Pools that would serve this Service, in the order in which they are asked, those that buy first; at least one. */
const askedPools = (situation: Situation): Result.Result<ReadonlyArray<Pool.Pool>, Refusal> => {
  const { request, index } = situation
  if (request.pool !== undefined) {
    const named = poolNamed(index, request.pool)
    if (named === undefined) return Result.fail({ reason: "PoolNotFound", name: request.pool })
    const refusal = Pool.serves(named, customerOf(situation))
    return refusal === undefined ? Result.succeed([named]) : Result.fail(refusal)
  }
  const giving = index.pools.filter((pool) => pool.autoAssign)
  const serving = giving.filter((pool) => Pool.serves(pool, customerOf(situation)) === undefined)
  return serving.length === 0
    ? Result.fail({ reason: "NoPool", others: giving.map(Pool.refOf) })
    : Result.succeed([...serving.filter(buys), ...serving.filter((pool) => !buys(pool))])
}

const buys = (pool: Pool.Pool): boolean => pool.kind === "EphemeralIPPool"

interface Asked {
  readonly pools: ReadonlyArray<Pool.Pool>
  readonly family: Address.Family | undefined
  readonly avoided: ReadonlyArray<Address.Address>
}

const grantAny = (situation: Situation, held: ReadonlyArray<Held>, { avoided, family, pools }: Asked): Outcome => {
  const tried = family === undefined ? Address.families : [family]
  for (const pool of pools) {
    for (const one of tried) {
      if (buys(pool)) {
        const bought = situation.boughtBy(pool.name, one)
        const isHeld = held.some(({ address }) => address === bought)
        if (bought === undefined || (!isHeld && isAnothers(situation, bought))) {
          return { _tag: "Buy", pool: pool.name, family: one }
        }
        return { _tag: isHeld ? "Keep" : "Grant", address: bought, pool: pool.name }
      }
      const address =
        claimedAlready(situation, held, pool, one) ?? AddressIndex.nextFree(situation.index, pool.name, one, avoided)
      if (address !== undefined) return { _tag: "Grant", address, pool: pool.name }
    }
  }
  const exhausted = tried.find((one) => pools.some((pool) => hasFamily(pool, one)))
  return refuse(
    exhausted === undefined
      ? { reason: "FamilyNotAvailable", family: tried[0] ?? "IPv4", pools: pools.map(Pool.refOf) }
      : {
          reason: "PoolExhausted",
          family: exhausted,
          pools: pools.filter((pool) => hasFamily(pool, exhausted)).map(Pool.refOf)
        }
  )
}

/** What was bought may be what another Service has by now: it asked for it by name, and a PersistentIPPool lists it. */
const isAnothers = ({ index, request }: Situation, address: Address.Address): boolean => {
  const holder = AddressIndex.claimOf(index, address)
  return holder !== undefined && !AddressIndex.isSame(holder, request)
}

/** A claim of this Service whose write is under way, or whose address is just being let go: the same one again. */
const claimedAlready = (
  { request, index }: Situation,
  held: ReadonlyArray<Held>,
  pool: Pool.Pool,
  family: Address.Family
): Address.Address | undefined =>
  AddressIndex.claimedBy(index, request).find(
    (address) =>
      Address.familyOf(address) === family &&
      Pool.lists(pool, address) &&
      !held.some((entry) => entry.address === address)
  )

const hasFamily = (pool: Pool.Pool, family: Address.Family): boolean =>
  pool.ranges.some((range) => range.family === family)
