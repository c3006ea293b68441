/**
 * Tells the network where an address is now: gratuitous ARP and unsolicited neighbour advertisements, in a burst that
 * ends after half a minute. The kernel sends none on `ip addr add` (measured), and without one clients go on talking to
 * the dead node for 26 to 45 s. Addresses that arrive together are announced together, in one write per uplink.
 */
import { Effect } from "effect"
import type { Scope } from "effect"
import type { Address } from "../domain/Address.ts"
import { NodeNetwork } from "../ports/NodeNetwork.ts"

/** failover, "taking over" 6: repeats cover lost frames and switches that learn slowly. */
export const announceAtMillis: ReadonlyArray<number> = [0, 50, 250, 1_000, 5_000, 30_000]

export interface Announcement {
  readonly address: Address
  readonly uplinks: ReadonlyArray<string>
}

export interface Announcer {
  /**
   * Returns after the first frames are out; the rest follows by itself, each as long as the node may still serve: a frame
   * of a holder that has lost its lease would take clients away from its successor. Answers which could not be announced
   * on each of their uplinks; one that has disappeared meanwhile counts for nothing.
   */
  readonly start: (
    batch: ReadonlyArray<Announcement>,
    mayServe: Effect.Effect<(address: Address) => boolean>
  ) => Effect.Effect<ReadonlySet<Address>>
  /** Ends the burst at once: an address that left must not be announced any more. */
  readonly stop: (address: Address) => void
  /** Ends the bursts of all others: what somebody else took off the interface must not be announced any more either. */
  readonly retain: (addresses: ReadonlySet<Address>) => void
}

const byUplink = (batch: ReadonlyArray<Announcement>): ReadonlyMap<string, ReadonlyArray<Address>> => {
  const groups = new Map<string, Array<Address>>()
  for (const { address, uplinks } of batch) {
    for (const uplink of uplinks) {
      const group = groups.get(uplink) ?? []
      group.push(address)
      groups.set(uplink, group)
    }
  }
  return groups
}

export const make: Effect.Effect<Announcer, never, NodeNetwork | Scope.Scope> = Effect.gen(function* () {
  const network = yield* NodeNetwork
  const scope = yield* Effect.scope
  /** The burst that an address belongs to; a later one replaces it. */
  const bursts = new Map<Address, object>()

  const sendOn = (uplink: string, addresses: ReadonlyArray<Address>) =>
    network.announce(addresses, uplink).pipe(
      Effect.as<ReadonlyArray<Address>>([]),
      Effect.catch(({ message, reason }) =>
        Effect.logWarning("not announced").pipe(
          Effect.annotateLogs({ uplink, error: message }),
          Effect.as(reason._tag === "InterfaceMissing" ? [] : addresses)
        )
      )
    )

  const send = (batch: ReadonlyArray<Announcement>) =>
    Effect.forEach(byUplink(batch), ([uplink, addresses]) => sendOn(uplink, addresses))

  const start = Effect.fnUntraced(function* (
    batch: ReadonlyArray<Announcement>,
    mayServe: Effect.Effect<(address: Address) => boolean>
  ) {
    if (batch.length === 0) return new Set<Address>()
    const burst = {}
    for (const { address } of batch) bursts.set(address, burst)
    const current = () => batch.filter(({ address }) => bursts.get(address) === burst)
    const refused = yield* send(batch)
    const repeats = announceAtMillis.slice(1).map((atMillis, index) => atMillis - (announceAtMillis[index] ?? 0))
    yield* Effect.forEach(repeats, (pauseMillis) =>
      Effect.sleep(pauseMillis).pipe(
        Effect.andThen(mayServe),
        Effect.andThen((may) => send(current().filter(({ address }) => may(address))))
      )
    ).pipe(
      Effect.andThen(
        Effect.sync(() => {
          for (const { address } of current()) bursts.delete(address)
        })
      ),
      Effect.forkIn(scope)
    )
    return new Set(refused.flat())
  })

  const retain = (addresses: ReadonlySet<Address>): void => {
    for (const address of bursts.keys()) if (!addresses.has(address)) bursts.delete(address)
  }

  return { start, stop: (address) => void bursts.delete(address), retain }
})
