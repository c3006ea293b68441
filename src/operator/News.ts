/** Of which addresses the network must be told in a round: those that came, and those that clients may know elsewhere. */
import { Effect } from "effect"
import type { IPAllocation } from "../api/IPAllocation.ts"
import type { Address } from "../domain/Address.ts"
import type { Announcement, Announcer } from "./Announcer.ts"

/**
 * Addresses that another node let go of since the last round. One that was fenced while it could not be heard went on
 * answering until then, and clients that learned of it meanwhile would wait for it to fall silent for half a minute.
 */
const newLateReleases = (node: string) => {
  let known = new Set<string>()
  return (allocations: ReadonlyArray<IPAllocation>): ReadonlySet<string> => {
    const released = allocations
      .flatMap(({ status }) => status?.addresses ?? [])
      .filter((entry) => entry.phase === "Released" && entry.node !== node)
    const keyOf = (entry: (typeof released)[number]) => `${entry.address} ${entry.node} ${entry.holdId} ${entry.epoch}`
    const late = new Set(released.filter((entry) => !known.has(keyOf(entry))).map(({ address }) => address))
    known = new Set(released.map(keyOf))
    return late
  }
}

/**
 * On which uplinks an address was announced while they were there and up. One that comes, or comes back, has clients behind
 * it that heard nothing meanwhile: where the default route was missing, there was no uplink to announce on. Nor was anything
 * heard of what this process found in place: the one before it may have died between the address and its announcement, or in
 * the middle of its burst.
 */
class UplinksSeen {
  private seen: ReadonlyMap<string, ReadonlySet<string>> = new Map()

  hasNew({ address, uplinks }: Announcement, isUp: (name: string) => boolean): boolean {
    return uplinks.some((uplink) => isUp(uplink) && this.seen.get(address)?.has(uplink) !== true)
  }

  /** What may not be announced now stays as it was last heard of. */
  note(
    held: ReadonlyArray<Announcement>,
    isNow: (each: Announcement) => boolean,
    isUp: (name: string) => boolean
  ): void {
    this.seen = new Map(
      held.map((each) => {
        const { address, uplinks } = each
        const before = this.seen.get(address) ?? new Set()
        return [address, isNow(each) ? new Set(uplinks.filter(isUp)) : before]
      })
    )
  }
}

export interface Round {
  /** What the kernel answers for. */
  readonly served: ReadonlyArray<Announcement>
  readonly allocations: ReadonlyArray<IPAllocation>
  /** It was put there in this round. */
  readonly isFresh: (address: Address) => boolean
  /** The interface is up and has a hardware address; a tunnel knows no ARP. */
  readonly canAnnounceOn: (interfaceName: string) => boolean
  /** For which addresses the lease is in force. */
  readonly mayServe: Effect.Effect<(address: Address) => boolean>
}

/** What the network has not been told: it is in the next round, and is not to be called served before. */
export interface Untold {
  readonly failed: ReadonlySet<Address>
  /** Nothing is announced while the lease may have run out: clients may have to ask another node by now. */
  readonly notNow: ReadonlySet<Address>
}

export interface News {
  readonly tell: (round: Round) => Effect.Effect<Untold>
}

export const make = (node: string, announcer: Announcer): News => {
  const lateReleases = newLateReleases(node)
  const uplinksSeen = new UplinksSeen()
  /** What was to be told in the last round and was not. */
  let owed: ReadonlySet<Address> = new Set()

  const tell = Effect.fnUntraced(function* ({ allocations, canAnnounceOn, isFresh, mayServe, served }: Round) {
    const late = lateReleases(allocations)
    const isUnheard = (each: Announcement) => uplinksSeen.hasNew(each, canAnnounceOn)
    const isDue = (each: Announcement) =>
      isFresh(each.address) || owed.has(each.address) || late.has(each.address) || isUnheard(each)
    announcer.retain(new Set(served.map(({ address }) => address)))
    const due = served.filter(isDue)
    const may = yield* mayServe
    const isNow = ({ address }: Announcement) => may(address)
    const notNow = new Set(due.filter((each) => !isNow(each)).map(({ address }) => address))
    const onUplinks = due.filter(isNow).map((each) => ({ ...each, uplinks: each.uplinks.filter(canAnnounceOn) }))
    const failed = yield* announcer.start(onUplinks, mayServe)
    owed = new Set([...failed, ...notNow])
    uplinksSeen.note(served, isNow, canAnnounceOn)
    return { failed, notNow }
  })

  return { tell }
}
