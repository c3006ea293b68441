/**
 * While the control plane is away: asks this node's voters whether they have lost it, too, and as long as a strict majority
 * says so, what has not run out yet goes on (domain/Witness). It begins at r + X/2, so that there is time for several
 * rounds before anything runs out at r + X, and ends with the next renewal that is answered.
 *
 * Evidence dates from the *asking*: an answer may have been on its way for long. It never acquires and never revives.
 */
import { Deferred, Effect, type Scope } from "effect"
import type { WitnessKey } from "../api/WitnessMessage.ts"
import * as Witness from "../domain/Witness.ts"
import type { Peers } from "../ports/Peers.ts"
import { forkForEver } from "../reconcile/ForEver.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import { nonce } from "../reconcile/Nonce.ts"
import type { Seats } from "./Seats.ts"

export interface Situation {
  readonly node: string
  /** X. */
  readonly serveMillis: number
  readonly peers: Peers["Service"]
  readonly key: Effect.Effect<WitnessKey | undefined>
  readonly seats: Seats
  /** Undefined: it does not want to renew, or has no lease; then it asks nobody. */
  readonly holdId: () => string | undefined
  /** r. */
  readonly renewedAtMillis: () => number
  /** What is in force and not fenced lives until X after this time; what is not, stays so. */
  readonly extend: (askedAtMillis: number) => Effect.Effect<void>
}

/** Whether the voter vouches; one that is silent, or not believed, does not. */
const asks = (situation: Situation, key: WitnessKey, holdId: string) =>
  Effect.fnUntraced(
    function* (voter: string) {
      const peer = situation.seats.peerOf(voter)
      if (peer === undefined) return false
      const question = { kind: "Evidence", voter, holdId, nonce: yield* nonce } as const
      return (yield* situation.peers.ask(peer, question, key)).yes
    },
    // Within X/2 there must be time for another round.
    Effect.timeout(situation.serveMillis / 10),
    Effect.catch(() => Effect.succeed(false))
  )

/** Whether it goes on. */
const round = Effect.fnUntraced(function* (situation: Situation, holdId: string) {
  const { node, seats } = situation
  const askedAtMillis = yield* monotonicMillis
  const vouching = new Set([node])
  const isKept = () => Witness.isKept(seats.lists(), vouching)
  const others = new Set(seats.lists().flatMap((voters) => voters.filter((voter) => voter !== node)))
  const key = yield* situation.key
  if (key === undefined) return false
  const enough = yield* Deferred.make<void>()
  const ask = asks(situation, key, holdId)
  const askOne = Effect.fnUntraced(function* (voter: string) {
    if (yield* ask(voter)) vouching.add(voter)
    if (isKept()) yield* Deferred.succeed(enough, undefined)
  })
  if (!isKept()) {
    const asking = Effect.forEach(others, askOne, { concurrency: "unbounded", discard: true })
    yield* Effect.raceFirst(asking, Deferred.await(enough))
  }
  // A list may have been written meanwhile, or the lease found fenced.
  if (!isKept() || situation.holdId() !== holdId) return false
  yield* situation.extend(askedAtMillis)
  return true
})

/** As long as the scope. */
export const run = (situation: Situation): Effect.Effect<unknown, never, Scope.Scope> => {
  const { serveMillis } = situation
  let wasKept: boolean | undefined
  const tell = (isKept: boolean) => {
    if (isKept === wasKept) return Effect.void
    wasKept = isKept
    return isKept
      ? Effect.logWarning("the control plane is away for a majority of voters: addresses are kept")
      : Effect.logWarning("the control plane is away, and no majority of voters says so: addresses run out")
  }
  const step = Effect.gen(function* () {
    const holdId = situation.holdId()
    const silentMillis = (yield* monotonicMillis) - situation.renewedAtMillis()
    // A list that is empty, or on its way out, keeps nothing whatever the others say.
    if (holdId === undefined || situation.seats.lists().some((voters) => voters.length === 0)) {
      wasKept = undefined
      return yield* Effect.sleep(serveMillis / 8)
    }
    if (silentMillis < serveMillis / 2) {
      if (wasKept !== undefined) yield* Effect.logInfo("the control plane is back")
      wasKept = undefined
      return yield* Effect.sleep(serveMillis / 2 - silentMillis)
    }
    yield* tell(yield* round(situation, holdId))
    return yield* Effect.sleep(serveMillis / 8)
  })
  return forkForEver("evidence", step)
}
