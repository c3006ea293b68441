/**
 * Takes the addresses of a dead node away from it: when its NodeLease was seen unchanged for long enough, the lease is
 * fenced by compare-and-set, and whatever names the fenced hold id is planned anew. NotReady is not death while the lease
 * is renewed, and death needs no NotReady.
 *
 * A lease that names voters is fenced only after their promises (Promises): the node may go on serving by their word, as
 * long as the control plane is away for a majority of them. That is for the lease to say and not for this controller's
 * settings. Who asks waits in a fiber of its own, so that no node's takeover waits for another's.
 *
 * failover, "Taking over" 1 to 4. What skips the silence and the promises, never the compare-and-set:
 * `cloud/ServerEvidence.ts`.
 */
import { Effect } from "effect"
import type { Scope } from "effect"
import type { Lease } from "../api/Lease.ts"
import { leases } from "../api/Lease.ts"
import { nodeLeaseAnnotations } from "../api/Names.ts"
import { Kubernetes, type KubernetesError } from "../ports/Kubernetes.ts"
import * as Witness from "../domain/Witness.ts"
import type { Peers } from "../ports/Peers.ts"
import { forkForEver } from "../reconcile/ForEver.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import { writing } from "../reconcile/ReadBack.ts"
import { keyOf, type Reflector } from "../reconcile/Reflector.ts"
import * as Members from "./Members.ts"
import type { KnownLease } from "./LeaseBook.ts"
import type { NodeBook } from "./NodeBook.ts"
import * as Promises from "./Promises.ts"
import type { WitnessSecret } from "./WitnessSecret.ts"

/** How voters are asked. */
export interface Asking {
  readonly peers: Peers["Service"]
  readonly secret: WitnessSecret
}

export interface FenceOptions {
  readonly nodeBook: NodeBook
  readonly leases: Reflector<Lease>
  readonly namespace: string
  readonly isLeader: Effect.Effect<boolean>
}

export interface Options extends FenceOptions {
  /** Absent: nobody is asked, and what a voter would have to promise waits for a person. */
  readonly witness?: Asking | undefined
  /** Own L. */
  readonly fenceAfterMillis: number
  /** Whether the takeover of this node waits, and for what, has changed. */
  readonly onAwaited: (node: string) => void
}

/** As long as nothing is due without a list, an API server that cannot answer must not be asked without a pause. */
const RETRY_MILLIS = 200
/** What a right or a policy forbids is not allowed a moment later; whoever mends it is not kept waiting either. */
const FORBIDDEN_MILLIS = 1_000

const isForbidden = ({ reason }: KubernetesError): boolean => reason._tag === "Denied" || reason._tag === "Invalid"

/** Between two rounds of asking; of a takeover that waits for long, as when all operators were taken away, less often. */
const ASK_AGAIN_MILLIS = 500
const ASK_AGAIN_MILLIS_MAX = 5_000
const TRIES_IN_QUICK_SUCCESSION = 10

const askAgainMillis = (triesCount: number): number =>
  Math.min(ASK_AGAIN_MILLIS_MAX, ASK_AGAIN_MILLIS * 2 ** Math.max(0, triesCount - TRIES_IN_QUICK_SUCCESSION))

/** How soon it is seen meanwhile that somebody says that the machine is off. */
const HEARD_MILLIS = 100

/** A voter that comes and goes must not make a message of each. */
const TELL_AGAIN_MILLIS = 10_000
/** How soon one that does not lead looks again at what is due: it may come to lead at any time. */
const FOLLOWING_MILLIS = 100

/**
 * After silence of the watch only a consistent list may bring the counts back (LeaseCount). One that shows what the watch has
 * not brought means that the watch may be dead, and it would be for minutes: another is begun at once.
 */
const relist = Effect.fnUntraced(
  function* (options: Options) {
    const kubernetes = yield* Kubernetes
    const askedMillis = yield* monotonicMillis
    const { items } = yield* kubernetes.list(leases, { namespace: options.namespace })
    const known = ({ metadata }: Lease) => options.leases.get(keyOf(metadata))?.metadata.resourceVersion
    const isBehind = items.some((lease) => known(lease) !== lease.metadata.resourceVersion)
    for (const lease of items) options.leases.absorb(lease)
    if (isBehind) options.leases.reconnect()
    options.nodeBook.onLeasesListed({ items, askedMillis }, yield* monotonicMillis)
  },
  Effect.catch((error) =>
    Effect.logWarning("node leases not listed").pipe(
      Effect.annotateLogs({ error: error.message }),
      Effect.andThen(Effect.sleep(Math.max(RETRY_MILLIS, error.retryAfterMillis)))
    )
  )
)

/** Fails as `Conflict` when the node renewed meanwhile; its count then starts anew (R7). */
const fence = Effect.fnUntraced(function* ({ content, lease }: KnownLease, evidence: string, options: FenceOptions) {
  const kubernetes = yield* Kubernetes
  const { name, namespace } = lease.metadata
  const fenced = {
    ...lease,
    metadata: {
      ...lease.metadata,
      annotations: { ...lease.metadata.annotations, [nodeLeaseAnnotations.fenced]: content.holdId }
    }
  }
  yield* writing(kubernetes.replace(leases, fenced), leases, { name, namespace }, options.leases)
  yield* Effect.logWarning("node fenced").pipe(
    Effect.annotateLogs({ node: content.node, holdId: content.holdId, evidence })
  )
})

/** A refused write means another version: the count starts anew (R7). One that was not answered is tried again. */
export const tryFence = (known: KnownLease, evidence: string, options: FenceOptions) =>
  fence(known, evidence, options).pipe(
    Effect.catch((error) =>
      Effect.gen(function* () {
        const refused = error.category === "conflict" || error.isGone
        if (refused) options.nodeBook.leases.restartCount(known.content.node, yield* monotonicMillis)
        const log = isForbidden(error) ? Effect.logWarning : Effect.logInfo
        yield* log("not fenced").pipe(Effect.annotateLogs({ node: known.content.node, error: error.message }))
        if (refused) return
        yield* Effect.sleep(isForbidden(error) ? FORBIDDEN_MILLIS : Math.max(RETRY_MILLIS, error.retryAfterMillis))
      })
    )
  )

const fenceSilent = (known: KnownLease, options: FenceOptions) =>
  tryFence(known, `its lease was not renewed for ${known.content.durationMillis} ms`, options)

/** One try of all that is asked of the voters. */
const promised = Effect.fnUntraced(function* ({ content }: KnownLease, options: Options) {
  const { fenceAfterMillis, nodeBook, witness } = options
  const key = witness === undefined ? undefined : yield* witness.secret.read
  if (witness === undefined || key === undefined) return { isPromised: false, promisedCount: 0 }
  const nowMillis = yield* monotonicMillis
  const peerOf = (voter: string) => {
    const registered = nodeBook.registeredNode(voter, nowMillis)
    return registered && Members.peerOf(registered)
  }
  const { durationMillis, holdId, node, voters } = content
  return yield* Promises.ask(
    { peers: witness.peers, key, peerOf },
    { node, holdId, voters, silenceMillis: Witness.silenceMillis(fenceAfterMillis, durationMillis) }
  )
})

/** Told when it lasts: one round that came to nothing is none of a user's business. */
const tellAwaited = Effect.fnUntraced(function* ({ content }: KnownLease, promisedCount: number, options: Options) {
  const { holdId, node, voters } = content
  const neededCount = Witness.promisesNeeded(voters)
  const { awaited } = options.nodeBook
  const before = awaited.get(node)
  const sinceMillis = yield* monotonicMillis
  const isRecent = before !== undefined && sinceMillis - before.sinceMillis < TELL_AGAIN_MILLIS
  if (before?.holdId === holdId && (isRecent || before.promisedCount === promisedCount)) return
  awaited.set(node, { holdId, votersCount: voters.length, promisedCount, neededCount, sinceMillis })
  options.onAwaited(node)
  yield* Effect.logWarning("takeover waits for promises of voters").pipe(
    Effect.annotateLogs({ node, holdId, promisedCount, neededCount, voters: voters.join(" ") })
  )
})

/** Until the lease changes, is fenced, or somebody else leads: each try begins anew. */
const takeOver = Effect.fnUntraced(function* (known: KnownLease, options: Options) {
  const { nodeBook } = options
  const { node } = known.content
  let triesCount = 0
  const isDue = Effect.map(monotonicMillis, (now) => nodeBook.leases.isDueForFence(known, now))
  while ((yield* isDue) && (yield* options.isLeader)) {
    const { isPromised, promisedCount } = yield* promised(known, options)
    // Another version, or somebody who leads by now: the promises were for nothing.
    if (!(yield* isDue) || !(yield* options.isLeader)) break
    if (isPromised || nodeBook.isGivenUp(known)) yield* fenceSilent(known, options)
    else {
      // What a provider routes may leave the node unfenced (Placement).
      if (nodeBook.setUnpromised(node, true)) options.onAwaited(node)
      if (++triesCount > 1) yield* tellAwaited(known, promisedCount, options)
      yield* Effect.sleep(HEARD_MILLIS).pipe(
        Effect.repeat({
          times: askAgainMillis(triesCount) / HEARD_MILLIS - 1,
          until: () => nodeBook.isGivenUp(known)
        })
      )
    }
  }
  const wasUnpromised = nodeBook.setUnpromised(node, false)
  if (nodeBook.awaited.delete(node) || wasUnpromised) options.onAwaited(node)
})

/** Also of a machine that is said to be off they are asked, if not waited for: it may only have stood still, and go on by their word. */
const hasVoters = ({ content }: KnownLease): boolean => content.voters.length > 0

export const run = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<void, never, Kubernetes | Scope.Scope> {
  const { nodeBook } = options
  const scope = yield* Effect.scope
  /** Names of nodes whose voters are being asked. */
  const asked = new Set<string>()
  const begin = (known: KnownLease) => {
    const { node } = known.content
    if (asked.has(node)) return Effect.void
    asked.add(node)
    return Effect.forkIn(
      Effect.ensuring(
        takeOver(known, options),
        Effect.sync(() => asked.delete(node))
      ),
      scope
    )
  }
  const round = Effect.gen(function* () {
    if (nodeBook.leases.needsList(yield* monotonicMillis)) yield* relist(options)
    const due = nodeBook.leases.dueForFence(yield* monotonicMillis)
    const leads = due.length > 0 && (yield* options.isLeader)
    if (leads) {
      yield* Effect.forEach(due.filter(hasVoters), begin, { discard: true })
      const free = due.filter((known) => !hasVoters(known))
      yield* Effect.forEach(free, (known) => fenceSilent(known, options), { concurrency: 16, discard: true })
    }
    const millis = nodeBook.leases.millisUntilDue(yield* monotonicMillis)
    yield* Effect.sleep(due.length > 0 && !leads ? Math.max(FOLLOWING_MILLIS, millis) : millis)
  })
  // Each round sleeps, so that nothing else need be let in between two of them.
  yield* forkForEver("fencing", round, { disableYield: true })
})
