/**
 * What one node owes to the IPAllocations that name it: the addresses that it must hold, and what it must acknowledge.
 * Pure; the operator compares the first with its kernel and the second with what it has reported.
 */
import type { Address } from "./Address.ts"
import * as Hold from "./Hold.ts"
import * as HoldId from "./HoldId.ts"

export interface AllocationView {
  /** `shop/web`. */
  readonly key: string
  readonly uid: string
  readonly deleting: boolean
  readonly entries: ReadonlyArray<Hold.Entry>
  /** Everybody's, this node's included. */
  readonly acknowledgements: ReadonlyArray<Hold.Acknowledgement>
}

export interface Self {
  readonly node: string
  /** The hold id that is registered and not fenced; undefined: nothing may be served. */
  readonly holdId: string | undefined
  /** Without one, the last that it had: of what is newer it says nothing. */
  readonly lastHoldId?: string | undefined
}

/** That this node is to serve an address now, or once others have let go. */
export interface Claim {
  readonly address: Address
  /** Key and UID of the IPAllocation. */
  readonly allocation: string
  readonly uid: string
  readonly holder: Hold.Holder
  /** This node has said that it serves under exactly this. */
  readonly isSaid: boolean
  /** Whoever served it has asked who else claims it, under a label that has stood since (R8, ADR 17). */
  readonly isProven: boolean
}

export interface Duty extends Claim {
  readonly interfaceName: string
  readonly pool: string
  /** By a provider, to one node only. */
  readonly isRouted: boolean
  /** To ask the network first: nobody served it before, nor has this node said so. */
  readonly probe: boolean
}

const mine = (entry: Hold.Entry, self: Self): Hold.Holder | undefined => {
  const holder = Hold.holderOf(entry)
  return holder !== undefined && holder.node === self.node && holder.holdId === self.holdId ? holder : undefined
}

/** Under which this node is to serve the entry now; undefined: it is not. */
const servingAs = (entry: Hold.Entry, { acknowledgements }: AllocationView, self: Self): Hold.Holder | undefined => {
  const holder = mine(entry, self)
  const unreleased = entry.previous.filter((each) => !Hold.hasReleased(acknowledgements, entry.address, each))
  if (Hold.isRouted(entry)) {
    const isOwn = (each: Hold.Holder) => each.node === self.node && each.holdId === self.holdId
    return holder ?? Hold.servingOn(entry).find((each) => isOwn(each) && unreleased.includes(each))
  }
  return unreleased.length > 0 ? undefined : holder
}

/**
 * An entry is to be served once everybody named in `previous` has acknowledged with exactly that hold id and epoch; one of a
 * cloud at once, and by those in `previous` as well until they are not named any more.
 */
export const dutiesOf = (allocation: AllocationView, self: Self): ReadonlyArray<Duty> =>
  allocation.deleting
    ? []
    : allocation.entries.flatMap((entry) => {
        const { interfaceName, pool } = entry
        const holder = servingAs(entry, allocation, self)
        if (holder === undefined || interfaceName === undefined) return []
        const claim = claimOf(entry, holder, allocation)
        const probe = entry.probe === true && !claim.isSaid
        return [{ ...claim, interfaceName, pool, isRouted: Hold.isRouted(entry), probe }]
      })

const claimOf = ({ address, served }: Hold.Entry, holder: Hold.Holder, allocation: AllocationView): Claim => {
  const isSaid = isSaidIn(allocation, address, holder)
  const isProven = isSaid || served === true
  return { address, allocation: allocation.key, uid: allocation.uid, holder, isSaid, isProven }
}

/** Clients of what somebody served before are without it until this node begins. */
export const takesOver = (allocation: AllocationView, self: Self, isHeld: Kept["isHeld"]): boolean =>
  dutiesOf(allocation, self).some(({ address, holder }) => holder.epoch > 1 && !isHeld(address))

/** Every duty, and what becomes one when those before have let go. */
export const claimsOf = (allocation: AllocationView, self: Self): ReadonlyArray<Claim> =>
  allocation.deleting
    ? []
    : allocation.entries.flatMap((entry) => {
        const holder = servingAs(entry, allocation, self) ?? mine(entry, self)
        return holder === undefined || entry.interfaceName === undefined ? [] : [claimOf(entry, holder, allocation)]
      })

/**
 * Made after this agent's own: asked of a successor on this node, which alone knows what it holds or is about to arm. Who
 * answers for it lets the next node begin beside it (ADR 15). One that never had an id has nothing to answer for.
 */
const isOfSuccessor = ({ holdId }: Hold.Holder, self: Self): boolean => {
  const own = self.holdId ?? self.lastHoldId
  return own === undefined || HoldId.generationOf(holdId as HoldId.HoldId) > HoldId.generationOf(own as HoldId.HoldId)
}

/** Everything that is asked of this node by name: what it serves, should release, or would have to release. */
const questions = (allocation: AllocationView, self: Self): ReadonlyArray<Hold.Acknowledgement> => {
  const asked = allocation.entries.flatMap((entry) => {
    const holder = Hold.holderOf(entry)
    const current =
      holder !== undefined && holder.node === self.node && entry.interfaceName !== undefined ? [holder] : []
    return [...current, ...entry.previous.filter((each) => each.node === self.node)].map((each) => ({
      ...each,
      address: entry.address,
      phase: "Released" as const
    }))
  })
  const reported = allocation.acknowledgements.filter((each) => each.node === self.node && each.phase === "Serving")
  const isAsked = (each: Hold.Acknowledgement) => asked.some((other) => Hold.hasReleased([other], each.address, each))
  return [...asked, ...reported.filter((each) => !isAsked(each))].filter((each) => !isOfSuccessor(each, self))
}

/** What the node's kernel is like now. */
export interface Kept {
  readonly isHeld: (address: Address) => boolean
  /** False: the network could not be told where the address is now, and clients may ask the node before. */
  readonly isAnnounced: (address: Address) => boolean
  /** Whose machine answered for it when it was to be used for the first time; undefined: nobody's. */
  readonly foreignMacOf: (address: Address) => string | undefined
}

/**
 * What this node acknowledges about the allocation. The list of an address has at
 * most one entry per node (the status is keyed by both): the newest epoch that concerns it.
 *
 * - Serving: the address is a duty, held and announced; who has said so once need not announce again to go on saying it.
 * - Released: it is not held, and the holder asked about is a former one, or the allocation is being deleted. A present
 *   holder that has not begun yet says nothing: silence is no acknowledgement. Nor does one that waits to begin and still
 *   holds the address of an epoch before: it is to take it off first, and what it said of that epoch stands until then.
 * - InUse: the address is a duty, and left alone, since a foreign machine answers for it.
 */
export const acknowledge = (
  allocation: AllocationView,
  self: Self,
  { foreignMacOf, isAnnounced, isHeld }: Kept
): ReadonlyArray<Hold.Acknowledgement> => {
  const duties = dutiesOf(allocation, self)
  const newest = new Map<Address, Hold.Acknowledgement>()
  for (const question of questions(allocation, self)) {
    const duty = duties.find((each) => each.address === question.address)
    const { address } = question
    const isKnown = () => isAnnounced(address) || isSaidIn(allocation, address, question)
    const foreignMac = foreignMacOf(address)
    const answer = answerTo(question, duty, allocation, self, { isHeld: isHeld(address), isKnown, foreignMac })
    const before = newest.get(question.address)
    if (answer !== undefined && (before === undefined || answer.epoch >= before.epoch)) {
      newest.set(question.address, answer)
    }
  }
  return [...newest.values()]
}

const isSaidIn = (
  { acknowledgements }: AllocationView,
  address: Address,
  { epoch, holdId, node }: Hold.Holder
): boolean =>
  acknowledgements.some(
    (each) =>
      each.phase === "Serving" &&
      each.address === address &&
      each.node === node &&
      each.holdId === holdId &&
      each.epoch === epoch
  )

interface Answering {
  readonly isHeld: boolean
  readonly isKnown: () => boolean
  readonly foreignMac: string | undefined
}

const answerTo = (
  question: Hold.Acknowledgement,
  duty: Duty | undefined,
  allocation: AllocationView,
  self: Self,
  { foreignMac, isHeld: held, isKnown }: Answering
): Hold.Acknowledgement | undefined => {
  const isDuty = duty !== undefined && duty.holder.holdId === question.holdId && duty.holder.epoch === question.epoch
  if (isDuty && !held && foreignMac !== undefined) return { ...question, phase: "InUse", mac: foreignMac }
  if (isDuty) return held && isKnown() ? { ...question, phase: "Serving" } : undefined
  const present = allocation.entries.some(
    (entry) => entry.address === question.address && mine(entry, self)?.epoch === question.epoch
  )
  if (present && !allocation.deleting) return undefined
  if (held) return duty === undefined ? { ...question, phase: "Serving" } : undefined
  return { ...question, phase: "Released" }
}
