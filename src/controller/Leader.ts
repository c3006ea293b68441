/**
 * Which replica acts: a Lease, taken over when it did not change for its duration on this replica's own monotonic clock.
 * Leadership is tidiness, not safety: every write that matters is a compare-and-set. A replica that cannot renew stops
 * acting before another may start; one that stops in peace lets go at once.
 */
import { Effect, Random } from "effect"
import type { Scope } from "effect"
import type { Lease } from "../api/Lease.ts"
import { leases } from "../api/Lease.ts"
import { leaderLeaseName } from "../api/Names.ts"
import type { LeaderTimes } from "../domain/FailoverTimes.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import type { KubernetesError } from "../ports/Kubernetes.ts"
import { forkForEver } from "../reconcile/ForEver.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import { keyOf } from "../reconcile/Reflector.ts"
import type { Reflector } from "../reconcile/Reflector.ts"
import * as Timestamp from "../reconcile/Timestamp.ts"
import type { Outcome } from "../reconcile/WorkQueue.ts"

export interface Leader {
  /** To be asked before every effect of a leader. */
  readonly isLeader: Effect.Effect<boolean>
  /** Counts how often this replica began to lead with others having led before: what it knows may then be old. */
  readonly term: () => number
}

export interface Options {
  readonly namespace: string
  /** Unique per process: the Pod's name and a random part, since a restarted container keeps the Pod's name. */
  readonly identity: string
  readonly times: LeaderTimes
  /** The Leases of the namespace, kept current by a watch. */
  readonly leases: Reflector<Lease>
  /** Called each time this replica begins to lead, or leads again after a lapse: what waited for a leader must be looked at. */
  readonly onElected: (term: number) => Effect.Effect<void>
  /** Called when the API answers again after a time in which it did not, long enough to have taken the watches with it. */
  readonly onAnsweredAgain?: () => void
}

/** Steps of a queue for the leader alone: each event makes one in every replica, and what a step begins with costs more than asking. */
export const leading =
  <E, R>(
    isLeader: Effect.Effect<boolean>,
    step: (key: string) => Effect.Effect<Outcome, E, R>
  ): ((key: string) => Effect.Effect<Outcome, E, R>) =>
  (key) =>
    Effect.flatMap(isLeader, (leads) => (leads ? step(key) : settled))

const settled = Effect.succeed<Outcome>("settled")

interface State {
  /** Monotonic time at which the renewal that last succeeded was sent. */
  renewedAt: number | undefined
  held: Lease | undefined
  term: number
  /** The version of another's lease, and when this replica first saw it. */
  seen: { readonly version: string | undefined; readonly atMillis: number } | undefined
}

const isOwn = (lease: Lease | undefined, { identity }: Options): boolean => lease?.spec?.holderIdentity === identity

const take = (lease: Lease | undefined, options: Options, nowMicro: string): Lease => {
  const mine = isOwn(lease, options)
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: lease?.metadata ?? { name: leaderLeaseName, namespace: options.namespace },
    spec: {
      holderIdentity: options.identity,
      leaseDurationSeconds: Math.ceil(options.times.leaseMillis / 1000),
      acquireTime: (mine ? lease?.spec?.acquireTime : undefined) ?? nowMicro,
      renewTime: nowMicro,
      leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (mine || lease === undefined ? 0 : 1)
    }
  }
}

/** Milliseconds until the lease may be taken; 0: now. A duration that another announced is honoured (v0.4: 60 s). */
const millisUntilFree = (lease: Lease, state: State, times: LeaderTimes, now: number): number => {
  const holder = lease.spec?.holderIdentity ?? ""
  if (holder === "") return 0
  const version = lease.metadata.resourceVersion
  if (state.seen === undefined || state.seen.version !== version) state.seen = { version, atMillis: now }
  const announced = (lease.spec?.leaseDurationSeconds ?? 0) * 1000
  return Math.max(0, state.seen.atMillis + Math.max(times.leaseMillis, announced) - now)
}

/** Notices for how long requests go unanswered, of a leader and of one that would be it. */
const answersOf = ({ onAnsweredAgain, times }: Options) => {
  /** Monotonic time at which the first request was sent since which none was answered. */
  let unansweredSince: number | undefined
  const came = Effect.map(monotonicMillis, (now) => {
    const silentMillis = now - (unansweredSince ?? now)
    unansweredSince = undefined
    if (silentMillis > times.renewDeadlineMillis) onAnsweredAgain?.()
  })
  const orNot = <A, E, R>(request: Effect.Effect<A, E, R>) =>
    Effect.flatMap(monotonicMillis, (startedAt) =>
      Effect.tapError(request, () => Effect.sync(() => (unansweredSince ??= startedAt)))
    )
  return { came, orNot }
}

/**
 * What is left of the pause that it answers. The deadline counts from the sending: where answers take long, a pause after each
 * would let the leadership lapse.
 */
const fromItsBeginning = <E, R>(attempt: Effect.Effect<number, E, R>) =>
  Effect.gen(function* () {
    const startedAt = yield* monotonicMillis
    const pauseMillis = yield* attempt
    return Math.max(0, pauseMillis - ((yield* monotonicMillis) - startedAt))
  })

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Leader, never, Kubernetes | Scope.Scope> {
  const kubernetes = yield* Kubernetes
  const { times } = options
  const key = keyOf({ namespace: options.namespace, name: leaderLeaseName })
  const state: State = { renewedAt: undefined, held: undefined, term: 0, seen: undefined }

  const isLeader = Effect.map(
    monotonicMillis,
    (now) => state.renewedAt !== undefined && now - state.renewedAt < times.renewDeadlineMillis
  )

  const answers = answersOf(options)

  const write = Effect.fnUntraced(function* (lease: Lease | undefined) {
    const sentAt = yield* monotonicMillis
    const next = take(lease, options, yield* Timestamp.nowMicro)
    const written = yield* (
      lease === undefined ? kubernetes.create(leases, next) : kubernetes.replace(leases, next)
    ).pipe(Effect.timeout(times.renewDeadlineMillis))
    yield* answers.came
    // Asked after the reply: when that was so late that leadership lapsed meanwhile, work was turned away.
    const wasLeader = yield* isLeader
    state.held = written
    state.renewedAt = sentAt
    const begins = !isOwn(lease, options)
    if (begins) state.term += 1
    options.leases.absorb(written)
    if (wasLeader && !begins) return
    yield* Effect.logInfo("this replica leads").pipe(Effect.annotateLogs({ identity: options.identity }))
    yield* options.onElected(state.term)
  })

  /** One attempt; answers how long to wait before the next. */
  const attempt = Effect.gen(function* () {
    const now = yield* monotonicMillis
    const lease = options.leases.get(key)
    if (lease === undefined) {
      if (options.leases.isSynced()) yield* write(undefined)
      return times.retryMillis
    }
    if (isOwn(lease, options)) {
      yield* write(lease)
      return times.retryMillis
    }
    state.renewedAt = undefined
    const waitMillis = millisUntilFree(lease, state, times, now)
    if (waitMillis > 0) return Math.min(waitMillis, times.retryMillis)
    yield* write(lease)
    return times.retryMillis
  })

  /** After a refused write the watch may lag, so the object itself is read. */
  const refresh = kubernetes.get(leases, { namespace: options.namespace, name: leaderLeaseName }).pipe(
    Effect.map((lease) => options.leases.absorb(lease)),
    Effect.andThen(answers.came),
    Effect.timeout(times.renewDeadlineMillis),
    Effect.ignore
  )
  const recover = (error: KubernetesError | { readonly _tag: "TimeoutError" }) =>
    Effect.logDebug("leader lease not written").pipe(
      Effect.annotateLogs({ error: error._tag === "KubernetesError" ? error.message : "no reply in time" }),
      Effect.andThen(refresh),
      Effect.andThen(Random.nextBetween(0.5, 1)),
      Effect.map((spread) => (times.retryMillis / 2) * spread)
    )

  const letGo = Effect.gen(function* () {
    const { held } = state
    if (held === undefined || !(yield* isLeader)) return
    const released = { ...held, spec: { ...held.spec, holderIdentity: "", leaseDurationSeconds: 1 } }
    yield* kubernetes.replace(leases, released).pipe(Effect.timeout("1 second"), Effect.ignore)
  })

  yield* Effect.addFinalizer(() => letGo)
  const turn = fromItsBeginning(attempt).pipe(answers.orNot, Effect.catch(recover))
  yield* forkForEver("leader election", Effect.flatMap(turn, Effect.sleep))
  return { isLeader, term: () => state.term }
})
