/**
 * What one node still has to change on its interfaces so that it carries the addresses it is to hold, and what it must
 * refuse to hold, because it would be unreachable or would break the node. Pure and total.
 *
 * The order is the safety argument: an address that this node no longer holds goes first, since another node may serve
 * it by now; then what is missing comes; last go second copies of an address that stays, so that it answers throughout.
 * Applied to its end, planning again gives nothing. A refusal changes nothing for its address, neither way.
 *
 * Only for lists that are known to be complete: what is not among `wanted` and ours is removed.
 */
import { Order } from "effect"
import { type Address, type Family, familyOf, toBigInt } from "./Address.ts"
import { hostPrefixLength, labelFor, ownMetric, scopeOf } from "./HostAddress.ts"
import {
  type AddressFacts,
  bridgeRefusal,
  type InterfaceFacts,
  isGlobal,
  isMarked,
  isRefusal,
  judging,
  type NetworkFacts,
  type NodeFacts,
  type PoolInterface,
  type Refusal,
  type Use
} from "./InterfaceMode.ts"

/** An address that this node is to hold, and how its pool says. */
export interface Wanted extends PoolInterface {
  readonly address: Address
}

/** The interface of a pool, whether or not this node holds an address of it. */
export interface Cleaned extends PoolInterface {
  readonly startupCleaning: "all" | "ours"
}

export interface Placed {
  readonly address: Address
  readonly interfaceName: string
}

/** What this node is known to have put in place. */
export interface Remembered extends Placed {
  /** Of the interface at that time, which may have another name by now. */
  readonly interfaceIndex?: number | undefined
}

export interface Input extends NodeFacts {
  readonly wanted: ReadonlyArray<Wanted>
  readonly pools: ReadonlyArray<Cleaned>
  /** Somebody may have put it anew without our mark. */
  readonly remembered: ReadonlyArray<Remembered>
  /** `startup` once, with the first complete lists: only then addresses are removed that are not ours. */
  readonly phase: "startup" | "steady"
}

export type Change =
  | ({ readonly _tag: "Add" } & Placed)
  | ({ readonly _tag: "Remove"; readonly prefixLength: number } & Placed)

export interface InterfacePlan {
  readonly changes: ReadonlyArray<Change>
  /** What is held once the changes are done, and where it is to be announced. */
  readonly held: ReadonlyArray<Placed & Use>
  readonly refusals: ReadonlyArray<Placed & Refusal>
}

export const render = (change: Change): string =>
  change._tag === "Add"
    ? `add ${change.address} to ${change.interfaceName}`
    : `remove ${change.address}/${change.prefixLength} from ${change.interfaceName}`

export const plan = (input: Input): InterfacePlan => {
  const judge = judging(input)
  const inPlace = placesIn(input.network)
  const verdicts = distinct(input.wanted).map((wanted) => ({
    placed: { address: wanted.address, interfaceName: wanted.interfaceName },
    verdict: judge(wanted, wanted.address)
  }))
  const held = verdicts.flatMap(({ placed, verdict }) => (isRefusal(verdict) ? [] : [{ ...placed, ...verdict }]))
  const refusals = verdicts.flatMap(({ placed, verdict }) => (isRefusal(verdict) ? [{ ...placed, ...verdict }] : []))
  const refused = new Set(refusals.map(({ address }) => address))
  const surplus = surplusOf(input).filter(({ address }) => !refused.has(address))
  const stays = new Set(held.map(({ address }) => address))
  return {
    changes: [
      ...surplus.filter(({ address }) => !stays.has(address)),
      ...held.filter((placed) => !inPlace.has(keyOf(placed))).map(toAdd),
      ...surplus.filter(({ address }) => stays.has(address))
    ],
    held,
    refusals
  }
}

const keyOf = ({ address, interfaceName }: Placed): string => `${address} ${interfaceName}`

/** By address; of one address on one interface the first entry counts. */
const distinct = (wanted: ReadonlyArray<Wanted>): ReadonlyArray<Wanted> =>
  inOrder([...new Map(wanted.toReversed().map((each) => [keyOf(each), each])).values()])

interface Keyed {
  readonly family: Family
  readonly value: bigint
  readonly interfaceName: string
}

const keyOrder: Order.Order<Keyed> = Order.combineAll([
  Order.mapInput(Order.String, ({ family }: Keyed) => family),
  Order.mapInput(Order.BigInt, ({ value }: Keyed) => value),
  Order.mapInput(Order.String, ({ interfaceName }: Keyed) => interfaceName)
])

/** IPv4 before IPv6, by value, then by interface. The keys are made first: `Address.order` parses at every comparison. */
const inOrder = <A extends Placed>(places: ReadonlyArray<A>): ReadonlyArray<A> =>
  places
    .map((place) => ({
      place,
      family: familyOf(place.address),
      value: toBigInt(place.address),
      interfaceName: place.interfaceName
    }))
    .toSorted(keyOrder)
    .map(({ place }) => place)

const toAdd = ({ address, interfaceName }: Placed): Change => ({ _tag: "Add", address, interfaceName })

/** Where addresses are as we put them, with all attributes: without our mark one would be lost to the next start-up. */
const placesIn = ({ interfaces }: NetworkFacts): ReadonlySet<string> =>
  new Set(
    interfaces.flatMap((found) =>
      found.addresses.filter((each) => isAsWePutIt(each, found)).map((each) => keyOf(at(each, found)))
    )
  )

/** One with a lifetime would be lost to the kernel. */
const isAsWePutIt = (each: AddressFacts, { name }: InterfaceFacts): boolean =>
  isHostPrefix(each) &&
  each.validSeconds === undefined &&
  each.metric === ownMetric &&
  (familyOf(each.address) === "IPv6" ||
    (each.scope === scopeOf(each.address) && (each.label ?? name) === (labelFor(each.address, name) ?? name)))

/** What is on an interface, may be removed by us, and is not wanted there. */
const surplusOf = (input: Input): ReadonlyArray<Change & { readonly _tag: "Remove" }> => {
  const wanted = new Set(input.wanted.map(keyOf))
  const isRemembered = remembering(input.remembered)
  return inOrder(
    input.network.interfaces.flatMap((found) => {
      const cleanAll = isCleanedOfAll(input, found)
      const isOurs = (each: AddressFacts) =>
        isHostPrefix(each) && (isMarked(each, found.name) || isRemembered(each, found))
      return found.addresses
        .filter((each) => isOurs(each) || (cleanAll && isGlobal(each)))
        .filter((each) => !(isHostPrefix(each) && wanted.has(keyOf(at(each, found)))))
        .map((each) => ({ _tag: "Remove" as const, ...at(each, found), prefixLength: each.prefixLength }))
    })
  )
}

const remembering = (remembered: ReadonlyArray<Remembered>) => {
  const places = new Set(remembered.map(keyOf))
  const indexes = new Map(remembered.map(({ address, interfaceIndex }) => [address, interfaceIndex]))
  return (each: AddressFacts, found: InterfaceFacts): boolean =>
    places.has(keyOf(at(each, found))) || indexes.get(each.address) === found.index
}

const at = ({ address }: AddressFacts, { name }: InterfaceFacts): Placed => ({ address, interfaceName: name })

const isHostPrefix = ({ address, prefixLength }: AddressFacts): boolean => prefixLength === hostPrefixLength(address)

/** At start-up, in bridge mode, and only when every pool of this interface asks for it. */
const isCleanedOfAll = (input: Input, found: InterfaceFacts): boolean => {
  const pools = input.pools.filter(({ interfaceName }) => interfaceName === found.name)
  return (
    input.phase === "startup" &&
    pools.length > 0 &&
    pools.every(
      (pool) =>
        pool.startupCleaning === "all" && pool.mode !== "uplink" && bridgeRefusal(input, pool, found) === undefined
    )
  )
}
