/**
 * What is due to a Service, judged from Services, pools and claims by a simple logic of its own: which addresses it has a
 * right to keep, which it could be granted, and which of its wishes nobody can meet as things are.
 */
import type { Allocation, IPAllocation } from "../api/IPAllocation.ts"
import type { Service } from "../api/Service.ts"
import * as Address from "../domain/Address.ts"
import { claimantsOf, claimsOf, isDeleting, isLeaving, keyOf, ownerUidOf } from "./Claims.ts"
import type { GroundTruth, PoolTruth } from "./GroundTruth.ts"
import { boughtFor, ofClaim } from "./Clouds.ts"
import { someoneCanHold } from "./Hosts.ts"
import { admits, isAvoided, isReserved, keeps, lists, ownerOf, persistent, rangesOf } from "./Pools.ts"
import { isOurs, type Wishes, wishesOf } from "./Wishes.ts"

export type Expectation =
  /** Granted, and rightly so. */
  | { readonly type: "Served"; readonly claim: Allocation }
  /** Not granted, though nothing stands against it. */
  | { readonly type: "Grantable"; readonly what: string; readonly isBought: boolean }
  /** Cannot be met; `isOptional`: and nobody waits for it. */
  | { readonly type: "Refused"; readonly what: string; readonly isOptional: boolean }

export const allocationOf = (truth: GroundTruth, service: Service): IPAllocation | undefined => {
  const allocation = truth.allocations.get(keyOf(service))
  if (allocation === undefined || isDeleting(allocation)) return undefined
  const owner = ownerUidOf(allocation)
  return owner === undefined || owner === service.metadata.uid ? allocation : undefined
}

const refused = (what: string): Expectation => ({ type: "Refused", what, isOptional: false })

const poolNamed = ({ pools }: GroundTruth, name: string): PoolTruth | undefined =>
  pools.get(`PersistentIPPool/${name}`) ?? pools.get(`EphemeralIPPool/${name}`)

const isCloud = ({ pools }: GroundTruth, { metadata }: PoolTruth): boolean =>
  !pools.has(`PersistentIPPool/${metadata.name}`)

/** Its pool still has the address, or another one took it over. */
const stands = (truth: GroundTruth, service: Service, claim: Allocation): boolean => {
  const pool = poolNamed(truth, claim.pool)
  const address = claim.address as Address.Address
  if (pool !== undefined && (isCloud(truth, pool) || keeps(pool) || lists(pool, address))) return true
  const heir = ownerOf(truth, address)
  return heir !== undefined && admits(truth, heir, service)
}

interface Case {
  readonly truth: GroundTruth
  readonly service: Service
  readonly wishes: Wishes
  /** Claims that it has and that are not on their way out. */
  readonly held: ReadonlyArray<Allocation>
  readonly isNamedBefore: boolean
}

const named = ({ held, service, truth, wishes }: Case, address: Address.Address): Expectation => {
  const claim = held.find((each) => each.address === address)
  if (claim !== undefined && stands(truth, service, claim)) return { type: "Served", claim }
  const { families } = wishes
  if (families.length > 0 && !families.includes(Address.familyOf(address)))
    return refused(`${address}, of another family`)
  if (isReserved(truth, address)) return refused(`${address}, which is the cluster's own`)
  const pool = ownerOf(truth, address)
  if (pool === undefined) return refused(`${address}, of no pool`)
  if (!admits(truth, pool, service)) return refused(`${address}, which the rules of ${pool.metadata.name} refuse`)
  const isTaken = claimantsOf(truth, address).some(
    ({ metadata }) => metadata.uid !== allocationOf(truth, service)?.metadata.uid
  )
  return isTaken ? refused(`${address}, which another has`) : { type: "Grantable", what: address, isBought: false }
}

const isOf = (family: Address.Family | undefined, address: string): boolean =>
  family === undefined || Address.familyOf(address as Address.Address) === family

/** As many as are looked at before a range counts as full. */
const looksMax = 4096n

const firstFree = (truth: GroundTruth, pool: PoolTruth, family: Address.Family | undefined): string | undefined => {
  const taken = new Set([...truth.allocations.values()].flatMap((each) => claimsOf(each).map(({ address }) => address)))
  for (const range of rangesOf(pool)) {
    if (family !== undefined && range.family !== family) continue
    const last = range.last < range.first + looksMax ? range.last : range.first + looksMax
    for (let value = range.first; value <= last; value++) {
      const address = Address.fromBigInt(range.family, value)
      if (taken.has(address) || isAvoided(pool, range.family, value) || isReserved(truth, address)) continue
      if (ownerOf(truth, address) === pool) return address
    }
  }
  return undefined
}

/** What it may have of any pool's choice: the pools that would be asked, or why none would. Those that buy go first. */
const askedPools = ({ service, truth, wishes }: Case): ReadonlyArray<PoolTruth> | string => {
  if (wishes.pool !== undefined) {
    const pool = poolNamed(truth, wishes.pool)
    if (pool === undefined) return `pool ${wishes.pool}, which does not exist`
    if (!admits(truth, pool, service)) return `pool ${wishes.pool}, whose rules refuse it`
    return [pool]
  }
  const giving = [...truth.pools.values()].filter((pool) => isCloud(truth, pool) || pool.spec.autoAssign === true)
  const serving = giving.filter((pool) => admits(truth, pool, service))
  if (serving.length === 0) return "any address, which no pool gives"
  const buying = serving.filter((pool) => isCloud(truth, pool))
  return buying.length > 0 ? buying : [...persistent(truth).values()].filter((pool) => serving.includes(pool))
}

const fits = ({ isNamedBefore, service, truth, wishes }: Case, claim: Allocation): boolean => {
  if (!stands(truth, service, claim)) return false
  if (wishes.pool !== undefined) return claim.pool === wishes.pool
  return !isNamedBefore || poolNamed(truth, claim.pool)?.spec.autoAssign === true
}

/** Where no node could hold it, nothing is bought; nor more than the one pool that buys may have. */
const toBuy = (truth: GroundTruth, pool: PoolTruth): Expectation => {
  const boughtCount = truth.cloud.filter((found) => boughtFor(found) !== undefined).length
  if (boughtCount >= (pool.spec.maxAddresses ?? Number.POSITIVE_INFINITY)) {
    return refused("an address of a cloud, of which no more may be bought")
  }
  const interfaceName = pool.spec.options?.hostNetworkInterface?.interfaceName ?? ""
  return someoneCanHold(truth, pool, interfaceName)
    ? { type: "Grantable", what: `one that ${pool.metadata.name} buys`, isBought: true }
    : refused("an address of a cloud, for which there is no node")
}

const any = (one: Case, family: Address.Family | undefined, isOptional: boolean): Expectation => {
  const claim = one.held.find((each) => isOf(family, each.address) && fits(one, each))
  const lost = claim && boughtAndLost(one.truth, claim)
  if (claim !== undefined) return lost === undefined ? { type: "Served", claim } : toBuy(one.truth, lost)
  const pools = askedPools(one)
  if (typeof pools === "string") return refused(pools)
  const buyer = pools.find((pool) => isCloud(one.truth, pool))
  if (buyer !== undefined) return toBuy(one.truth, buyer)
  const free = pools.flatMap((pool) => firstFree(one.truth, pool, family) ?? []).at(0)
  if (free !== undefined) return { type: "Grantable", what: `${free} or another`, isBought: false }
  return { type: "Refused", what: `${family ?? "an"} address, of which there are none`, isOptional }
}

/** The pool that bought it; somebody has deleted it at the provider since. */
const boughtAndLost = (truth: GroundTruth, claim: Allocation): PoolTruth | undefined => {
  const pool = poolNamed(truth, claim.pool)
  const isBought = claim.cloudProvider !== undefined && pool !== undefined && isCloud(truth, pool)
  return isBought && ofClaim(truth, claim) === undefined ? pool : undefined
}

export const expectationsOf = (truth: GroundTruth, service: Service): ReadonlyArray<Expectation> => {
  if (!isOurs(service)) return []
  const wishes = wishesOf(service)
  const allocation = allocationOf(truth, service)
  const held = allocation === undefined ? [] : claimsOf(allocation).filter((claim) => !isLeaving(claim))
  const one: Case = { truth, service, wishes, held, isNamedBefore: allocation?.spec.type === "persistent" }
  const malformed = wishes.malformed.map((text) => refused(`"${text}", which is no address`))
  if (wishes.addresses.length > 0) return [...malformed, ...wishes.addresses.map((address) => named(one, address))]
  // Who named something that nobody can read has not asked for just any.
  if (malformed.length > 0) return malformed
  const slots = wishes.families.length > 0 ? wishes.families : [undefined]
  return slots.map((family, index) => any(one, family, wishes.isSecondOptional && index > 0))
}
