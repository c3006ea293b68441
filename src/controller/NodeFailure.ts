/**
 * Takes the addresses of a dead node away from it: when its NodeLease was seen unchanged for long enough, the lease is
 * fenced by compare-and-set, and whatever names the fenced hold id is planned anew. NotReady is not death while the lease
 * is renewed, and death needs no NotReady.
 *
 * failover, "Taking over" 1 and 3 to 4. Promises of voters (2) come before the fence once they exist. What skips the
 * silence, never the compare-and-set: `cloud/ServerEvidence.ts`.
 */
import { Effect } from "effect"
import type { Scope } from "effect"
import type { Lease } from "../api/Lease.ts"
import { leases } from "../api/Lease.ts"
import { nodeLeaseAnnotations } from "../api/Names.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import { writing } from "../reconcile/ReadBack.ts"
import type { Reflector } from "../reconcile/Reflector.ts"
import type { KnownLease, NodeBook } from "./NodeBook.ts"

export interface Options {
  readonly nodeBook: NodeBook
  readonly leases: Reflector<Lease>
  readonly namespace: string
  readonly isLeader: Effect.Effect<boolean>
}

/** As long as nothing is due without a list, an API server that cannot answer must not be asked without a pause. */
const RETRY_MILLIS = 200
/** How soon one that does not lead looks again at what is due: it may come to lead at any time. */
const FOLLOWING_MILLIS = 100

/** After silence of the watch only a consistent list may bring the counts back (LeaseCount). */
const relist = Effect.fn("NodeFailure.relist")(
  function* (options: Options) {
    const kubernetes = yield* Kubernetes
    const askedMillis = yield* monotonicMillis
    const { items } = yield* kubernetes.list(leases, { namespace: options.namespace })
    for (const lease of items) options.leases.absorb(lease)
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
const fence = Effect.fn("NodeFailure.fence")(function* (
  { content, lease }: KnownLease,
  evidence: string,
  options: Options
) {
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
export const tryFence = (known: KnownLease, evidence: string, options: Options) =>
  fence(known, evidence, options).pipe(
    Effect.catch((error) =>
      Effect.gen(function* () {
        const refused = error.category === "conflict" || error.isGone
        if (refused) options.nodeBook.restartCount(known.content.node, yield* monotonicMillis)
        yield* Effect.logInfo("not fenced").pipe(
          Effect.annotateLogs({ node: known.content.node, error: error.message })
        )
        if (!refused) yield* Effect.sleep(RETRY_MILLIS)
      })
    )
  )

export const run = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<void, never, Kubernetes | Scope.Scope> {
  const { nodeBook } = options
  const round = Effect.gen(function* () {
    if (nodeBook.needsList(yield* monotonicMillis)) yield* relist(options)
    const due = nodeBook.dueForFence(yield* monotonicMillis)
    const leads = due.length > 0 && (yield* options.isLeader)
    const fenceOne = (known: KnownLease) =>
      tryFence(known, `its lease was not renewed for ${known.content.durationMillis} ms`, options)
    if (leads) yield* Effect.forEach(due, fenceOne, { concurrency: 16, discard: true })
    const millis = nodeBook.millisUntilDue(yield* monotonicMillis)
    yield* Effect.sleep(due.length > 0 && !leads ? Math.max(FOLLOWING_MILLIS, millis) : millis)
  })
  // Each round sleeps, so that nothing else need be let in between two of them.
  yield* Effect.forkScoped(Effect.forever(round, { disableYield: true }))
})
