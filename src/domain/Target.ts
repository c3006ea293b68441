/** How `spec.allocations` should read, and what the Service should show of it. */
import { type Address, familyOf } from "./Address.ts"
import * as Hold from "./Hold.ts"
import type { Observed, ObservedAllocation, ObservedService, Wanted } from "./PlanInput.ts"

export const sameIntent = (a: Hold.Intent, b: Hold.Intent): boolean => a.pool === b.pool && a.family === b.family

/** What `spec.allocations` should hold, and what of it the Service should show. */
export interface Target {
  readonly entries: ReadonlyArray<Hold.Entry>
  readonly intents: ReadonlyArray<Hold.Intent>
  readonly visible: ReadonlyArray<Address>
  /** Of the present ones: nobody serves them, or is to. */
  readonly returned: ReadonlyArray<Hold.Entry>
  /** Of the present ones: nothing is to be bought for them any more, and something may have been. */
  readonly abandoned: ReadonlyArray<Hold.Intent>
}

const targetIntents = ({ entries, intents }: ObservedAllocation, wanted: Wanted) => {
  const due = wanted.purchases
    .filter(({ intent, location }) => location !== undefined || intents.some((each) => sameIntent(each, intent)))
    .map(({ intent }) => intent)
  const isGranted = (intent: Hold.Intent) =>
    wanted.entries.some(
      ({ address, pool }) =>
        pool === intent.pool &&
        familyOf(address) === intent.family &&
        !entries.some((entry) => entry.address === address)
    )
  const abandoned = intents.filter((intent) => !due.some((each) => sameIntent(each, intent)) && !isGranted(intent))
  return { intents: [...due, ...abandoned], abandoned }
}

/**
 * How many of the wanted entries a list of `Hold.ENTRIES_MAX` has room for now, and how many of those that stay until all are
 * served: whoever replaces nearly all of a long list gets room for the rest by giving up old ones early.
 */
const fitting = (
  wanted: ReadonlyArray<Hold.Entry>,
  lingering: ReadonlyArray<Hold.Entry>,
  present: ReadonlyArray<Hold.Entry>
) => {
  const isPresent = ({ address }: Hold.Entry) => present.some((entry) => entry.address === address)
  const kept = lingering.slice(0, Math.max(0, Hold.ENTRIES_MAX - wanted.length))
  const leavingCount = present.filter((entry) => !wanted.some(({ address }) => address === entry.address)).length
  const room = Math.max(0, Hold.ENTRIES_MAX - leavingCount - wanted.filter(isPresent).length)
  const waiting = wanted.filter((entry) => !isPresent(entry)).slice(room)
  return { admitted: wanted.filter((entry) => !waiting.includes(entry)), kept }
}

export const targetOf = (
  service: ObservedService,
  allocation: ObservedAllocation,
  wanted: Wanted,
  { isFenced, routeOf }: Observed
): Target => {
  const { acknowledgements, entries } = allocation
  const wantedAddresses = wanted.entries.map((entry) => entry.address)
  const surplus = entries.filter((entry) => !wantedAddresses.includes(entry.address))
  const servedNow = (entry: Hold.Entry) => isServed(entry, acknowledgements, routeOf)
  const secured =
    wanted.purchases.length === 0 &&
    wanted.entries.every((entry) => entries.some((e) => e.address === entry.address && servedNow(e)))
  // Until the new ones are served the old ones stay, except those that their pool has lost.
  const stays = (entry: Hold.Entry) =>
    !secured && !Hold.isLeaving(entry) && !isLeft(entry) && !wanted.withdrawn.includes(entry.address)
  const { admitted, kept: lingering } = fitting(wanted.entries, surplus.filter(stays), entries)
  const visible = [...wanted.entries, ...lingering]
    .filter((entry) => {
      const current = entries.find((each) => each.address === entry.address)
      // A failover leaves the status as it is: the address is the same and comes back.
      return current !== undefined && (servedNow(current) || service.shown.includes(entry.address))
    })
    .map((entry) => entry.address)
  const gone = surplus
    .filter((entry) => !lingering.includes(entry))
    .flatMap((entry) => leaving(entry, allocation, isFenced))
  // Written down as left before the cloud is asked: whoever looks meanwhile does not serve it.
  const returned = gone.filter(
    ({ address, previous }) =>
      previous.length === 0 &&
      !service.shown.includes(address) &&
      entries.some((entry) => entry.address === address && isLeft(entry))
  )
  return {
    entries: [...admitted, ...lingering, ...gone],
    ...targetIntents(allocation, wanted),
    visible,
    returned
  }
}

/** Of a cloud, and nobody's any more. */
const isLeft = ({ cloudProvider, node, previous }: Hold.Entry): boolean =>
  cloudProvider !== undefined && node === undefined && previous.length === 0

/** By its node, and by the cloud where it is one's. */
export const isServed = (
  entry: Hold.Entry,
  acknowledgements: ReadonlyArray<Hold.Acknowledgement>,
  routeOf: Observed["routeOf"]
): boolean =>
  Hold.isServed(entry, acknowledgements) && (entry.cloudProvider === undefined || routeOf(entry) === "inPlace")

/**
 * A released entry stays, without holder, until everybody who may still serve it has let go: it is what they are asked
 * by, and what keeps the address from being granted again (S14).
 */
const leaving = (
  entry: Hold.Entry,
  { acknowledgements }: ObservedAllocation,
  isFenced: Observed["isFenced"]
): ReadonlyArray<Hold.Entry> => {
  const awaited = Hold.awaitedOf(entry, acknowledgements, isFenced)
  // Of a cloud: who was let go without waiting may not have said so yet.
  const others = acknowledgements.filter(
    (each) =>
      Hold.isRouted(entry) &&
      each.address === entry.address &&
      each.phase === "Serving" &&
      !isFenced(each) &&
      !awaited.some(({ holdId, node }) => node === each.node && holdId === each.holdId)
  )
  const previous = [...awaited, ...others.map(({ epoch, holdId, node }) => ({ node, holdId, epoch }))]
  const { address, cloudId, cloudProvider, interfaceName, pool } = entry
  if (previous.length === 0 && cloudProvider === undefined) return []
  return [{ address, cloudProvider, cloudId, interfaceName, pool, previous }]
}
