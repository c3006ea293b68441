/** A client that asks every watched address a hundred times a second, and what it saw. */
import { Effect } from "effect"
import type { Scope } from "effect"
import type { Address } from "../../domain/Address.ts"
import { monotonicMillis } from "../../reconcile/Monotonic.ts"
import type { Segment } from "./Segment.ts"

export const PERIOD_MILLIS = 10

export interface Seen {
  /** The node that answered last; undefined: none yet. */
  answeredBy: string | undefined
  answeredAtMillis: number
  /** The longest time between an answer and the next one, with unanswered probes between them. */
  outageMillis: number
  answersCount: number
  lostCount: number
  /** Probes at which more than one live node had the address. */
  twiceHeldCount: number
}

export interface Probes {
  readonly watch: (address: Address) => void
  readonly stop: (address: Address) => void
  readonly seen: (address: Address) => Seen | undefined
}

const probe = (segment: Segment, address: Address, seen: Seen, nowMillis: number, failing: Set<Address>): void => {
  if (segment.holders(address).length > 1) seen.twiceHeldCount += 1
  const node = segment.answers(address)
  if (node === undefined) {
    failing.add(address)
    seen.lostCount += 1
    return
  }
  if (failing.delete(address) && seen.answersCount > 0) {
    seen.outageMillis = Math.max(seen.outageMillis, nowMillis - seen.answeredAtMillis)
  }
  seen.answeredBy = node
  seen.answeredAtMillis = nowMillis
  seen.answersCount += 1
}

const nothing = (): Seen => ({
  answeredBy: undefined,
  answeredAtMillis: 0,
  outageMillis: 0,
  answersCount: 0,
  lostCount: 0,
  twiceHeldCount: 0
})

export const make = Effect.fnUntraced(function* (segment: Segment): Effect.fn.Return<Probes, never, Scope.Scope> {
  const watched = new Map<Address, Seen>()
  const active = new Set<Address>()
  const failing = new Set<Address>()
  const round = Effect.map(monotonicMillis, (nowMillis) => {
    for (const address of active) {
      const seen = watched.get(address)
      if (seen !== undefined) probe(segment, address, seen, nowMillis, failing)
    }
  })
  yield* round.pipe(Effect.andThen(Effect.sleep(PERIOD_MILLIS)), Effect.forever, Effect.forkScoped)
  return {
    watch: (address) => {
      if (!watched.has(address)) watched.set(address, nothing())
      active.add(address)
    },
    stop: (address) => void active.delete(address),
    seen: (address) => watched.get(address)
  }
})
