/**
 * The NodeLease of this node: registered once, renewed for ever by compare-and-set, with the hold id under which this
 * node may serve. A controller that fences it raises nothing here: the next write is refused, the content read back says
 * so, and everything held under the fenced id must go before a new one is registered.
 *
 * failover: "The object" (409 and 404), R1 (hold ids), R9 (another boot). The kernel-held part of the lease is not here.
 */
import { Data, Effect, Fiber, Option, Random, Result } from "effect"
import type { Lease } from "../api/Lease.ts"
import { leases } from "../api/Lease.ts"
import { nodeLeaseName } from "../api/Names.ts"
import * as NodeLease from "../api/NodeLease.ts"
import * as HoldId from "../domain/HoldId.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import type { KubernetesError } from "../ports/Kubernetes.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import * as Timestamp from "../reconcile/Timestamp.ts"
import type { Attempt, Attempts } from "./Attempts.ts"

/** Another operator process of this boot has taken over this node's lease: touch nothing and end. */
export class Superseded extends Data.TaggedError("Superseded")<{ readonly nonce: string }> {
  override get message(): string {
    return `another operator (${this.nonce}) has taken over this node's lease: this one ends and touches nothing`
  }
}

/** Another machine, or a later boot of this one, holds the lease: drop everything and end without registering. */
export class Displaced extends Data.TaggedError("Displaced")<{ readonly bootId: string }> {
  override get message(): string {
    return `a machine of another boot (${this.bootId}) holds this node's lease: this one let go of everything and ends`
  }
}

/** The lease names another machine, or an earlier boot of this one; `lease` must be seen unchanged for its duration. */
export class Foreign extends Data.TaggedError("Foreign")<{ readonly lease: Lease; readonly durationMillis: number }> {}

export interface Identity {
  readonly node: string
  readonly namespace: string
  readonly bootId: string
  readonly systemUuid: string
  readonly nonce: string
  readonly durationMillis: number
  /** Which server of its cloud provider this machine is, once that is known. */
  readonly instanceId: string | undefined
  /** Why packets may go round its fence, if they may. */
  readonly bypassed?: string | undefined
  /** By voter, why it does not answer; undefined: all do. */
  readonly unreached?: NodeLease.Unreached | undefined
  readonly attempts: Attempts
  /** A renewal that is not answered within it is sent once more. */
  readonly askAgainMillis: number
}

/** What this process knows of its lease. `lease` absent: not registered. */
export interface Registered {
  readonly lease: Lease
  readonly content: NodeLease.NodeLease
}

const newHoldId = (after: HoldId.HoldId | undefined) =>
  Effect.map(Random.nextIntBetween(0, 2 ** 32), (random) => HoldId.next(after, random.toString(16).padStart(8, "0")))

/** It tells that the version which was to be replaced is gone: read what stands there now. */
const isRefused = ({ category, isGone }: KubernetesError): boolean => category === "conflict" || isGone

/** Fails only when nothing is known by it. */
const answerOf = <A, R>(write: Effect.Effect<A, KubernetesError, R>) =>
  write.pipe(
    Effect.map((written): Result.Result<A, KubernetesError> => Result.succeed(written)),
    Effect.catchIf(isRefused, (error) => Effect.succeed(Result.fail(error)))
  )

/**
 * A path may die in silence, and with it the connections that lie idle. So a write that is not answered is sent once more as
 * it is, on a connection of its own; compare-and-set lets one of the two succeed. The first that says something counts.
 */
const askedAgain = Effect.fnUntraced(function* <A, R>(
  write: (isFresh: boolean) => Effect.Effect<A, KubernetesError, R>,
  afterMillis: number
): Effect.fn.Return<A, KubernetesError, R> {
  const first = yield* Effect.forkChild(write(false))
  return yield* Effect.gen(function* () {
    const early = yield* Effect.timeoutOption(Fiber.await(first), afterMillis)
    if (Option.isSome(early)) return yield* early.value
    const answer = yield* Effect.race(answerOf(Fiber.join(first)), answerOf(write(true)))
    return yield* Effect.fromResult(answer)
  }).pipe(Effect.ensuring(Fiber.interrupt(first)))
})

const send = Effect.fnUntraced(function* (identity: Identity, content: NodeLease.NodeLease, base: Lease | undefined) {
  const kubernetes = yield* Kubernetes
  const lease = NodeLease.write(content, identity.namespace, yield* Timestamp.nowMicro, base)
  const written = yield* base === undefined
    ? kubernetes.create(leases, lease)
    : askedAgain((isFresh) => kubernetes.replace(leases, lease, { isFresh }), identity.askAgainMillis)
  return { lease: written, content }
})

const fetch = Effect.fnUntraced(function* (identity: Identity, isFresh: boolean) {
  const kubernetes = yield* Kubernetes
  const ref = { namespace: identity.namespace, name: nodeLeaseName(identity.node) }
  return yield* kubernetes.get(leases, ref, { isFresh }).pipe(
    Effect.map((lease): Lease | undefined => lease),
    Effect.catchIf(
      ({ isGone }) => isGone,
      () => Effect.succeed(undefined)
    )
  )
})

const begin = ({ attempts }: Identity) => Effect.map(monotonicMillis, (now) => attempts.begin(now))

const contentFor = (
  identity: Identity,
  holdId: HoldId.HoldId,
  attempt: Attempt,
  { interfaces, macs = [], witness = NodeLease.noWitness }: Pick<Registering, "interfaces" | "macs" | "witness">,
  durationMillis = identity.durationMillis
): NodeLease.NodeLease => ({
  node: identity.node,
  holdId,
  bootId: identity.bootId,
  systemUuid: identity.systemUuid,
  nonce: identity.nonce,
  attempt: attempt.id,
  durationMillis,
  fenced: undefined,
  released: undefined,
  interfaces,
  instanceId: identity.instanceId,
  bypassed: identity.bypassed,
  unreached: identity.unreached,
  macs,
  ...witness
})

export interface Registering {
  /** What the controller reads at once: without it every holder here would seem to lack its interface. */
  readonly interfaces: NodeLease.InterfaceReadiness
  readonly macs?: ReadonlyArray<string>
  readonly witness?: NodeLease.Witness | undefined
  /** A lease version of another boot that was seen unchanged for long enough. */
  readonly takeover?: Lease | undefined
  /** The newest id of this node that anything is known to name: a lease that was deleted begins after it, not anew. */
  readonly newestHoldId?: HoldId.HoldId | undefined
}

/** That a leader has fenced it meanwhile, or somebody labelled it, says nothing of whether the other machine lives. */
const isRenewedSince = (seen: Lease, lease: Lease, { attempt, holdId, nonce }: NodeLease.NodeLease): boolean => {
  const before = NodeLease.read(seen)
  const isSame = before?.attempt === attempt && before.holdId === holdId && before.nonce === nonce
  return !isSame || seen.metadata.uid !== lease.metadata.uid
}

/**
 * Registers this process. On one boot the hold id survives (the addresses are still on the interface), unless it was
 * fenced, or given back by an operator that let go of everything.
 *
 * Another machine's lease that names voters may be kept up by their word however long it is quiet: it is taken only once a
 * leader, who asks them, has fenced it. Two that both say nothing of their machine count as one that was rebooted.
 */
export const register = Effect.fnUntraced(function* (
  identity: Identity,
  { newestHoldId, takeover, ...said }: Registering
): Effect.fn.Return<Registered, KubernetesError | Foreign, Kubernetes> {
  const lease = yield* fetch(identity, false)
  const before = lease === undefined ? undefined : NodeLease.read(lease)
  if (lease === undefined || before === undefined) {
    const holdId = yield* newHoldId(newestHoldId)
    return yield* send(identity, contentFor(identity, holdId, yield* begin(identity), said), lease)
  }
  const sameBoot = before.bootId === identity.bootId
  const watchedLongEnough = takeover !== undefined && !isRenewedSince(takeover, lease, before)
  const inForce = before.fenced !== before.holdId && before.released !== before.holdId
  const mayBeKept = inForce && before.voters.length > 0 && before.systemUuid !== identity.systemUuid
  if (!sameBoot && (!watchedLongEnough || mayBeKept)) {
    return yield* new Foreign({ lease, durationMillis: Math.max(identity.durationMillis, before.durationMillis) })
  }
  const newest = HoldId.newer(before.holdId, newestHoldId)
  const goesOn = sameBoot && inForce && newest === before.holdId
  const holdId = goesOn ? before.holdId : yield* newHoldId(newest)
  // What was announced for a handover stands until the kernel serves no longer than that allows (R11).
  const durationMillis = goesOn ? Math.max(before.durationMillis, identity.durationMillis) : identity.durationMillis
  return yield* send(identity, contentFor(identity, holdId, yield* begin(identity), said, durationMillis), lease)
})

/** What a renewal found. `Fenced`: drop everything held, then register anew. */
export type Renewal = Data.TaggedEnum<{
  /** It stands there, by its answer or read back: r is its first sending (R3). */
  Renewed: { readonly registered: Registered; readonly sentAtMillis: number }
  /** Ours still, as an earlier attempt left it: its age is that attempt's, and nothing was renewed now. */
  Adopted: { readonly registered: Registered; readonly sentAtMillis: number | undefined }
  Fenced: {}
}>
export const Renewal = Data.taggedEnum<Renewal>()

/** After a refused or lost write: whose content stands there now? */
const readBack = Effect.fnUntraced(function* (
  identity: Identity,
  current: Registered,
  attempt: Attempt
): Effect.fn.Return<Renewal, KubernetesError | Superseded | Displaced, Kubernetes> {
  const lease = yield* fetch(identity, true)
  const content = lease === undefined ? undefined : NodeLease.read(lease)
  if (lease === undefined || content === undefined || lease.metadata.uid !== current.lease.metadata.uid) {
    return Renewal.Fenced()
  }
  if (content.bootId !== identity.bootId) return yield* new Displaced({ bootId: content.bootId })
  if (content.nonce !== identity.nonce) return yield* new Superseded({ nonce: content.nonce })
  if (content.fenced === current.content.holdId) return Renewal.Fenced()
  const registered = { lease, content }
  if (content.attempt === attempt.id) return Renewal.Renewed({ registered, sentAtMillis: attempt.sentAtMillis })
  return Renewal.Adopted({ registered, sentAtMillis: identity.attempts.sentAt(content.attempt) })
})

export interface Renewing {
  readonly interfaces: NodeLease.InterfaceReadiness
  readonly macs?: ReadonlyArray<string>
  readonly witness?: NodeLease.Witness | undefined
  /** Says that everything held under this hold id was let go (shutdown). */
  readonly released?: boolean
  /** Announced instead of this process's own: for a handover. */
  readonly durationMillis?: number
}

export const renew = Effect.fnUntraced(function* (
  identity: Identity,
  current: Registered,
  { durationMillis = identity.durationMillis, released = false, ...said }: Renewing
): Effect.fn.Return<Renewal, KubernetesError | Superseded | Displaced, Kubernetes> {
  const attempt = yield* begin(identity)
  const content: NodeLease.NodeLease = {
    ...contentFor(identity, current.content.holdId, attempt, said, durationMillis),
    released: released ? current.content.holdId : undefined
  }
  return yield* send(identity, content, current.lease).pipe(
    Effect.map((registered) => Renewal.Renewed({ registered, sentAtMillis: attempt.sentAtMillis })),
    Effect.catchIf(
      ({ category, isGone }) => category === "conflict" || category === "ambiguous" || isGone,
      () => readBack(identity, current, attempt)
    )
  )
})
