/** When this replica may decide: with every cache complete, while it leads, and once it knows what leaders before it granted. */
import { Effect, type Scope } from "effect"
import type { LeaderTimes } from "../domain/FailoverTimes.ts"
import type { Kubernetes } from "../ports/Kubernetes.ts"
import type { Caches } from "./Caches.ts"
import * as Leader from "./Leader.ts"

export interface Readiness {
  /** Every cache has seen a complete list. */
  readonly isReady: () => boolean
  readonly isLeader: Effect.Effect<boolean>
  /** May decide what compare-and-set guards: it leads, and is ready. */
  readonly leads: Effect.Effect<boolean>
  /** May grant, too. */
  readonly mayAct: Effect.Effect<boolean>
}

export interface Options {
  readonly namespace: string
  /** Unique per process. */
  readonly identity: string
  readonly leaderTimes: LeaderTimes
  readonly caches: Caches["Service"]
  /** Called when all grants have become known: what else this replica has looked at may be old as well. */
  readonly onGrantsKnown: () => void
  /** Has everything looked at: nobody did what changes called for while nobody led. */
  readonly wakeEverything: Effect.Effect<void>
}

/** Asked before each step: what is complete stays so. */
const completeness = (caches: Caches["Service"]): (() => boolean) => {
  let isComplete = false
  return () => (isComplete ||= Object.values(caches).every((cache) => cache.isSynced()))
}

export const make = Effect.fnUntraced(function* ({
  caches,
  identity,
  leaderTimes,
  namespace,
  onGrantsKnown,
  wakeEverything
}: Options): Effect.fn.Return<Readiness, never, Kubernetes | Scope.Scope> {
  const scope = yield* Effect.scope
  /** The last term in which all grants were known, those of the leaders before included. */
  let knownTerm = 0
  const learnGrants = (term: number) =>
    caches.allocations.relist.pipe(
      Effect.andThen(
        Effect.sync(() => {
          knownTerm = Math.max(knownTerm, term)
          onGrantsKnown()
        })
      ),
      Effect.when(Effect.sync(() => term > knownTerm)),
      Effect.andThen(wakeEverything),
      Effect.forkIn(scope),
      Effect.asVoid
    )
  const leader = yield* Leader.make({
    namespace,
    identity,
    times: leaderTimes,
    leases: caches.leases,
    onElected: learnGrants,
    onAnsweredAgain: () => {
      for (const cache of Object.values(caches)) cache.reconnect()
    }
  })
  const isReady = completeness(caches)
  // Before every cache is complete nothing may be decided: to half a cache, every address has left its pool.
  const leads = Effect.map(leader.isLeader, (may) => may && isReady())
  // A watch may have died in silence: what was granted meanwhile, a new leader would grant again. No compare-and-set
  // spans two IPAllocations.
  const mayAct = Effect.map(leads, (may) => may && knownTerm === leader.term())
  return { isReady, isLeader: leader.isLeader, leads, mayAct }
})
