/**
 * The NodeLease of this node: registered once, renewed for ever by compare-and-set, with the hold id under which this
 * node may serve. A controller that fences it raises nothing here: the next write is refused, the content read back says
 * so, and everything held under the fenced id must go before a new one is registered.
 *
 * failover: "The object" (409 and 404), R1 (hold ids), R9 (another boot). The kernel-held part of the lease is not here.
 */
import { Data, Effect, Random } from "effect"
import type { Lease } from "../api/Lease.ts"
import { leases } from "../api/Lease.ts"
import { nodeLeaseName } from "../api/Names.ts"
import * as NodeLease from "../api/NodeLease.ts"
import * as HoldId from "../domain/HoldId.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import type { KubernetesError } from "../ports/Kubernetes.ts"
import * as Timestamp from "../reconcile/Timestamp.ts"

/** Another operator process of this boot has taken over this node's lease: touch nothing and end. */
export class Superseded extends Data.TaggedError("Superseded")<{ readonly nonce: string }> {}

/** The lease names another machine, or an earlier boot of this one; `lease` must be seen unchanged for its duration. */
export class Foreign extends Data.TaggedError("Foreign")<{ readonly lease: Lease; readonly durationMillis: number }> {}

export interface Identity {
  readonly node: string
  readonly namespace: string
  readonly bootId: string
  readonly systemUuid: string
  readonly nonce: string
  readonly durationMillis: number
}

/** What this process knows of its lease. `lease` absent: not registered. */
export interface Registered {
  readonly lease: Lease
  readonly content: NodeLease.NodeLease
}

const newHoldId = (after: HoldId.HoldId | undefined) =>
  Effect.map(Random.nextIntBetween(0, 2 ** 32), (random) => HoldId.next(after, random.toString(16).padStart(8, "0")))

const send = Effect.fnUntraced(function* (identity: Identity, content: NodeLease.NodeLease, base: Lease | undefined) {
  const kubernetes = yield* Kubernetes
  const lease = NodeLease.write(content, identity.namespace, yield* Timestamp.nowMicro, base)
  const written = yield* base === undefined ? kubernetes.create(leases, lease) : kubernetes.replace(leases, lease)
  return { lease: written, content }
})

const fetch = Effect.fnUntraced(function* (identity: Identity) {
  const kubernetes = yield* Kubernetes
  return yield* kubernetes.get(leases, { namespace: identity.namespace, name: nodeLeaseName(identity.node) }).pipe(
    Effect.map((lease): Lease | undefined => lease),
    Effect.catch((error) =>
      error.reason._tag === "NotFound" ? Effect.succeed<Lease | undefined>(undefined) : Effect.fail(error)
    )
  )
})

const contentFor = (
  identity: Identity,
  holdId: HoldId.HoldId,
  attempt: number,
  interfaces: NodeLease.InterfaceReadiness
): NodeLease.NodeLease => ({
  node: identity.node,
  holdId,
  bootId: identity.bootId,
  systemUuid: identity.systemUuid,
  nonce: identity.nonce,
  attempt,
  durationMillis: identity.durationMillis,
  fenced: undefined,
  released: undefined,
  interfaces
})

/**
 * Registers this process. `takeover` is a lease version of another boot that was seen unchanged for long enough.
 * On one boot the hold id survives (the addresses are still on the interface), unless it was fenced.
 */
export const register = Effect.fn("Registration.register")(function* (
  identity: Identity,
  takeover: Lease | undefined
): Effect.fn.Return<Registered, KubernetesError | Foreign, Kubernetes> {
  const lease = yield* fetch(identity)
  const before = lease === undefined ? undefined : NodeLease.read(lease)
  if (lease === undefined || before === undefined) {
    return yield* send(identity, contentFor(identity, yield* newHoldId(undefined), 1, {}), lease)
  }
  const sameBoot = before.bootId === identity.bootId
  const watchedLongEnough = takeover?.metadata.resourceVersion === lease.metadata.resourceVersion
  if (!sameBoot && !watchedLongEnough) {
    return yield* new Foreign({ lease, durationMillis: Math.max(identity.durationMillis, before.durationMillis) })
  }
  const keeps = sameBoot && before.fenced !== before.holdId
  const holdId = keeps ? before.holdId : yield* newHoldId(before.holdId)
  // Until the first round has looked, the node's interfaces are what they were: an empty list would say that it has
  // none, and its addresses would be moved away.
  return yield* send(identity, contentFor(identity, holdId, 1, before.interfaces), lease)
})

/** What a renewal found. `Fenced`: drop everything held, then register anew. */
export type Renewal = Data.TaggedEnum<{ Renewed: { readonly registered: Registered }; Fenced: {} }>
export const Renewal = Data.taggedEnum<Renewal>()

/** After a refused or lost write: whose content stands there now? */
const readBack = Effect.fnUntraced(function* (
  identity: Identity,
  current: Registered
): Effect.fn.Return<Renewal, KubernetesError | Superseded, Kubernetes> {
  const lease = yield* fetch(identity)
  const content = lease === undefined ? undefined : NodeLease.read(lease)
  if (lease === undefined || content === undefined || lease.metadata.uid !== current.lease.metadata.uid) {
    return Renewal.Fenced()
  }
  if (content.nonce !== identity.nonce) return yield* new Superseded({ nonce: content.nonce })
  if (content.fenced === current.content.holdId) return Renewal.Fenced()
  return Renewal.Renewed({ registered: { lease, content } })
})

export interface Renewing {
  /** Absent: not looked at since the start, so what stands in the lease goes on to hold. */
  readonly interfaces?: NodeLease.InterfaceReadiness | undefined
  /** Says that everything held under this hold id was let go (shutdown). */
  readonly released?: boolean
}

export const renew = Effect.fn("Registration.renew")(function* (
  identity: Identity,
  current: Registered,
  { interfaces, released = false }: Renewing
): Effect.fn.Return<Renewal, KubernetesError | Superseded, Kubernetes> {
  const { attempt, holdId } = current.content
  const content: NodeLease.NodeLease = {
    ...contentFor(identity, holdId, attempt + 1, interfaces ?? current.content.interfaces),
    released: released ? holdId : undefined
  }
  return yield* send(identity, content, current.lease).pipe(
    Effect.map((registered) => Renewal.Renewed({ registered })),
    Effect.catch((error) =>
      error.category === "conflict" || error.category === "ambiguous" || error.reason._tag === "NotFound"
        ? readBack(identity, current)
        : Effect.fail(error)
    )
  )
})
