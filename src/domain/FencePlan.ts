/**
 * What the kernel's fence is to be told in a round: which addresses it judges, and which of these may be served. Pure.
 *
 * An address is judged before it comes to an interface, and until it has left it; it is leased once it is there, and no
 * longer when it is about to go. What lies on an interface and is neither of our planning nor known to the fence is not
 * judged: it is the machine's own, or v0.4 serves it still. Nor is what its pool keeps whatever becomes of the lease. What is there
 * for an IPAllocation of which nobody knows yet whether it may be served stays as it is in the fence; a fence that does not know
 * it, as when somebody flushed the ruleset while no operator ran, holds it to the lease from then on.
 */
import type { Address } from "./Address.ts"
import type { ControlPlaneLoss } from "./ControlPlaneLoss.ts"
import { hostPrefixLength } from "./HostAddress.ts"
import type { Change, InterfacePlan } from "./InterfacePlan.ts"

export interface Content {
  readonly managed: ReadonlyArray<Address>
  readonly leased: ReadonlyArray<Address>
  /** Of what is judged, that which the voters keep nothing of. */
  readonly byRenewal: ReadonlyArray<Address>
}

export interface Input {
  readonly plan: Pick<InterfacePlan, "held" | "changes">
  /** Of the plan's changes, those that are carried out; the rest is left as it is for now. */
  readonly carriedOut: ReadonlyArray<Change>
  /** For IPAllocations of which nobody knows yet whether they may be served. */
  readonly undecided: ReadonlyArray<{ readonly address: Address }>
  /** On some interface now. */
  readonly isPresent: (address: Address) => boolean
  /** As the plan wants it, now. */
  readonly isInPlace: (address: Address) => boolean
  /** Of what the plan holds, and of what is undecided. */
  readonly lossOf: (address: Address) => ControlPlaneLoss
  /** What the fence was told last, by this process or the one before. */
  readonly current: Content
}

export const contentOf = ({ carriedOut, current, isInPlace, isPresent, lossOf, plan, undecided }: Input): Content => {
  const planned = plan.held.map(({ address }) => address).filter((address) => lossOf(address) !== "keep")
  const isPlanned = new Set(plan.held.map(({ address }) => address))
  const going = carriedOut.flatMap((each) => (isGoing(each) && !isPlanned.has(each.address) ? [each.address] : []))
  const known = current.managed.filter((address) => !isPlanned.has(address) && isPresent(address))
  const isKnown = new Set(current.managed)
  const open = undecided.map(({ address }) => address)
  const joining = open.filter(
    (address) => isPresent(address) && !isPlanned.has(address) && !isKnown.has(address) && lossOf(address) !== "keep"
  )
  const staying = new Set([...withheldIn(plan.changes, carriedOut), ...open])
  const isLeased = new Set(current.leased)
  const wasByRenewal = new Set(current.byRenewal)
  return {
    managed: unique([...planned, ...going.filter(isPresent), ...known, ...joining]),
    leased: unique([
      ...planned.filter(isInPlace),
      ...known.filter((address) => staying.has(address) && isLeased.has(address)),
      ...joining
    ]),
    byRenewal: unique([
      ...[...planned, ...joining].filter((address) => lossOf(address) === "release"),
      ...known.filter((address) => wasByRenewal.has(address))
    ])
  }
}

/**
 * By which contents to come from one to another, so that none changes more than `most` addresses: a kernel takes a short change
 * soon, however much it holds. An address is as it was or as it is to be.
 */
export const stepsTo = (current: Content, next: Content, most: number): ReadonlyArray<Content> => {
  const changed = [...changedIn(current, next)]
  const counts = Array.from({ length: Math.max(1, Math.ceil(changed.length / most)) }, (_, index) => (index + 1) * most)
  return counts.map((count) => {
    if (count >= changed.length) return next
    const done = new Set(changed.slice(0, count))
    const between = (list: keyof Content) => [
      ...current[list].filter((address) => !done.has(address)),
      ...next[list].filter((address) => done.has(address))
    ]
    return { managed: between("managed"), leased: between("leased"), byRenewal: between("byRenewal") }
  })
}

const changedIn = (current: Content, next: Content): ReadonlySet<Address> => {
  const lists = ["managed", "leased", "byRenewal"] as const
  return new Set(lists.flatMap((list) => [...new Set(current[list]).symmetricDifference(new Set(next[list]))]))
}

const isGoing = (change: Change): change is Change & { readonly _tag: "Remove" } =>
  change._tag === "Remove" && change.prefixLength === hostPrefixLength(change.address)

/** What would go, and stays for now since nobody can read what it is for. */
const withheldIn = (changes: ReadonlyArray<Change>, carriedOut: ReadonlyArray<Change>): ReadonlySet<Address> => {
  const done = new Set(carriedOut)
  return new Set(changes.filter((each) => isGoing(each) && !done.has(each)).map(({ address }) => address))
}

const unique = (addresses: ReadonlyArray<Address>): ReadonlyArray<Address> => [...new Set(addresses)]
