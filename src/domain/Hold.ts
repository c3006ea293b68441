/**
 * Who holds an address, and what was acknowledged about it: the data that plans and operators share. An address is
 * identified within one IPAllocation; an acknowledgement counts only for exactly the node, hold id and epoch it names.
 */
import type { Address, Family } from "./Address.ts"

/** A holder of one epoch. `holdId` is absent on what v0.4 wrote and on pools without interface. */
export interface Holder {
  readonly node: string
  readonly holdId: string
  readonly epoch: number
}

/** The longest `spec.allocations` that the API server takes. */
export const ENTRIES_MAX = 256

/** One granted address, as it stands in `spec.allocations`. */
export interface Entry {
  readonly address: Address
  readonly pool: string
  /** Absent: the pool adds no addresses; nothing has to be served by an operator. */
  readonly interfaceName?: string | undefined
  readonly cloudProvider?: string | undefined
  /** What the cloud calls it, once that is known. */
  readonly cloudId?: string | undefined
  readonly node?: string | undefined
  readonly holdId?: string | undefined
  readonly epoch?: number | undefined
  /** Never served: its holder asks the network first whether a foreign machine has it. */
  readonly probe?: true | undefined
  /** Some holder has said that it serves it, since this entry stands; noted when the entry goes to another one. */
  readonly served?: true | undefined
  /** Who must let go before the present holder may serve; of a cloud: who serves on until the route has moved. */
  readonly previous: ReadonlyArray<Holder>
}

/** An address that is about to be bought, or may have been: committed before anything is paid (S5, S6). */
export interface Intent {
  readonly pool: string
  readonly family: Family
  readonly cloudProvider: string
}

/** One entry of `status.addresses`, written by the operator of `node`. */
export interface Acknowledgement extends Holder {
  readonly address: Address
  /** `InUse`: a foreign machine answers for it; the node does not use it, and has nothing to let go of. */
  readonly phase: "Serving" | "Released" | "InUse"
  /** Of `InUse`: that machine's. */
  readonly mac?: string
}

const names = (acknowledgement: Acknowledgement, address: Address, holder: Holder): boolean =>
  acknowledgement.address === address &&
  acknowledgement.node === holder.node &&
  acknowledgement.holdId === holder.holdId &&
  acknowledgement.epoch === holder.epoch

export const hasReleased = (
  acknowledgements: ReadonlyArray<Acknowledgement>,
  address: Address,
  holder: Holder
): boolean => acknowledgements.some((each) => each.phase === "Released" && names(each, address, holder))

/** The holder that an operator serves under; undefined while the entry names none, or one of v0.4 without hold id. */
export const holderOf = (entry: Entry): Holder | undefined =>
  entry.node === undefined || entry.holdId === undefined || entry.epoch === undefined
    ? undefined
    : { node: entry.node, holdId: entry.holdId, epoch: entry.epoch }

/** Released: it names nobody any more but those who must let go. */
export const isLeaving = (entry: Entry): boolean => entry.node === undefined && entry.previous.length > 0

/** A provider's route decides who is asked for it: several nodes may have it at once, so that a move has no gap. */
export const isRouted = ({ cloudProvider }: Entry): boolean => cloudProvider !== undefined

/** Former holders that serve on beside the present one; without a present one they have to let go. */
export const servingOn = (entry: Entry): ReadonlyArray<Holder> =>
  isRouted(entry) && entry.node !== undefined ? entry.previous : []

/** Who may still serve this entry's address: holders of it that are neither fenced nor have let go. */
export const awaitedOf = (
  entry: Entry,
  acknowledgements: ReadonlyArray<Acknowledgement>,
  isFenced: (holder: Holder) => boolean
): ReadonlyArray<Holder> => {
  if (entry.interfaceName === undefined) return []
  const holder = holderOf(entry)
  return [...entry.previous, ...(holder === undefined ? [] : [holder])].filter(
    (each) => !isFenced(each) && !hasReleased(acknowledgements, entry.address, each)
  )
}

/** Served now, as far as reports tell. Without an interface there is nothing to serve: the grant is enough. */
export const isServed = (entry: Entry, acknowledgements: ReadonlyArray<Acknowledgement>): boolean => {
  if (entry.interfaceName === undefined) return true
  const holder = holderOf(entry)
  return (
    holder !== undefined &&
    acknowledgements.some((each) => each.phase === "Serving" && names(each, entry.address, holder))
  )
}

/** Whose machine answers for the address, as who is to hold it says; undefined: nobody's, as far as is known. */
export const foreignMacOf = (entry: Entry, acknowledgements: ReadonlyArray<Acknowledgement>): string | undefined => {
  const holder = holderOf(entry)
  if (holder === undefined) return undefined
  return acknowledgements.find((each) => each.phase === "InUse" && names(each, entry.address, holder))?.mac
}

/** Nodes that hold an address of this allocation, or must still let one go: an operator watches by these. */
export const involvedNodes = (
  entries: ReadonlyArray<Entry>,
  acknowledgements: ReadonlyArray<Acknowledgement>
): ReadonlyArray<string> => {
  const nodes = new Set<string>()
  for (const entry of entries) {
    if (entry.interfaceName === undefined) continue
    if (entry.node !== undefined) nodes.add(entry.node)
    for (const holder of entry.previous) nodes.add(holder.node)
  }
  for (const each of acknowledgements) if (each.phase === "Serving") nodes.add(each.node)
  return [...nodes].toSorted()
}

/** An address stays claimed until its last holder has acknowledged the release. */
export const claimedAddresses = (
  entries: ReadonlyArray<Entry>,
  acknowledgements: ReadonlyArray<Acknowledgement>
): ReadonlyArray<Address> => [
  ...new Set([
    ...entries.map((entry) => entry.address),
    ...acknowledgements.filter((each) => each.phase === "Serving").map((each) => each.address)
  ])
]
