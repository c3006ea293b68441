/**
 * Follows the project of each pool: reads the token, the project's servers and addresses, and which server each Node is.
 * A minute later again, which is how a rotated token, a new server and what a person did in the provider's console are
 * noticed. Pools with one token share the project and its lists.
 */
import { Effect, Result } from "effect"
import type { HetznerIntegration } from "../../api/CloudIntegration.ts"
import { labelNames } from "../../domain/CloudClaim.ts"
import * as CloudRules from "../../domain/CloudRules.ts"
import { contains } from "../../domain/FloatingAddress.ts"
import type { Lack } from "../../domain/PlanInput.ts"
import type { Entry } from "../../domain/Hold.ts"
import type { PoolRef } from "../../domain/Pool.ts"
import { Cloud, type CloudAddress, type CloudError, type CloudProject, type Resolution } from "../../ports/Cloud.ts"
import type { Kubernetes } from "../../ports/Kubernetes.ts"
import { monotonicMillis } from "../../reconcile/Monotonic.ts"
import type { Outcome } from "../../reconcile/WorkQueue.ts"
import { Caches } from "../Caches.ts"
import type { CloudBook } from "./CloudBook.ts"
import type { OrphanSweep } from "./OrphanSweep.ts"
import { deletedAmong } from "./Deletions.ts"
import { giveOrphanBack, learnRight } from "./CloudWriter.ts"
import { lasting, troubleOf } from "./CloudTrouble.ts"
import { tokenOf } from "./Credentials.ts"
import * as ProjectTrust from "./ProjectTrust.ts"

export interface Options {
  readonly book: CloudBook
  readonly sweep: OrphanSweep
  readonly isLeader: Effect.Effect<boolean>
  /** Where Secrets are. */
  readonly namespace: string
  /** What IPAllocations have of this pool and some node is to hold. */
  readonly entriesOf: (pool: PoolRef) => ReadonlyArray<Entry>
  /** Milliseconds until a Node will have been NotReady for so long; undefined: none is on its way to it. */
  readonly millisUntilLost: (graceMillis: number) => Effect.Effect<number | undefined>
  /** The view of the project of this pool, or its trouble, is another. */
  readonly onChange: (poolKey: string) => void
}

/** How old what is known of a project may be. */
const lookEveryMillis = 60_000
/** Addresses change by our own hand, which is noted; a server that goes off is looked for when its Node changes. */
const maxAgeMillis = { addresses: 55_000, servers: 5_000 }
/** Whoever has just edited a pool may have bought right before what it names; pools that start together share a list. */
const maxAgeAfterEditMillis = 1_000
/** While a project cannot be used: a failed authentication costs a request of everybody's budget. */
const retryMillis = 15_000

const poolOf = (poolKey: string): PoolRef => {
  const [kind, name = ""] = poolKey.split("/")
  return { kind: kind === "PersistentIPPool" ? "PersistentIPPool" : "EphemeralIPPool", name }
}

const cached = (caches: Caches["Service"], poolKey: string) => {
  const { kind, name } = poolOf(poolKey)
  return kind === "PersistentIPPool" ? caches.persistentPools.get(name) : caches.ephemeralPools.get(name)
}

const resolveAll = Effect.fnUntraced(function* (project: CloudProject, book: CloudBook) {
  const resolutions = new Map<string, Resolution>()
  for (const name of book.identities.keys()) {
    const identity = book.identityOf(name)
    if (identity !== undefined) resolutions.set(name, yield* project.resolve(identity, Number.POSITIVE_INFINITY))
  }
  const ofDeparted = yield* Effect.forEach(book.departedNodes(), (each) =>
    project.resolve(each, Number.POSITIVE_INFINITY)
  )
  return { resolutions, ofDeparted }
})

/** With an empty label every cluster of the project would take the others' addresses for its own. */
const clusterUnknown: Lack = {
  reason: "ClusterUnknown",
  message:
    "the identity of this cluster, the UID of namespace kube-system, cannot be read, and without it nothing in a " +
    "project that others may share is touched. Look at the events of that Namespace."
}

const look = Effect.fnUntraced(function* (project: CloudProject, poolKey: string, edition: string, options: Options) {
  const { book, onChange } = options
  const servers = yield* project.servers(maxAgeMillis.servers)
  const isEdited = book.editionOf(poolKey) !== edition
  const listed = yield* project.addresses(isEdited ? maxAgeAfterEditMillis : maxAgeMillis.addresses)
  const { ofDeparted, resolutions } = yield* resolveAll(project, book)
  const unreadable = yield* project.unreadable
  const labelled = [...listed, ...unreadable.flatMap(({ labels }) => (labels === undefined ? [] : [{ labels }]))]
  const trust = book.trust(labelled, resolutions, ofDeparted)
  // Before anything is decided by what it has: not even that something is gone.
  if (trust === "foreign") {
    book.forgetView(poolKey)
    return ProjectTrust.foreign
  }
  const deleted = yield* deletedAmong(options.entriesOf(poolOf(poolKey)), {
    project,
    addresses: listed,
    resolutions,
    before: book.viewOfProject(poolKey, project),
    cluster: book.cluster
  })
  // What a list lacked, and a read has found, is in it by now.
  const addresses = yield* project.addresses(Number.POSITIVE_INFINITY)
  const wasReadOnly = book.readOnlyTrouble(poolOf(poolKey)) !== undefined
  const isNews = book.see(poolKey, { project, edition, servers, addresses, unreadable, resolutions, deleted })
  const trouble = trust === "usable" ? undefined : ProjectTrust.foreign
  // By another token: nobody has refused to write by this one.
  const mayWriteNow = wasReadOnly && book.readOnlyTrouble(poolOf(poolKey)) === undefined
  if (book.setPoolTrouble(poolKey, trouble) || isNews || mayWriteNow) onChange(poolKey)
  yield* giveOrphansBack(project, poolKey, options)
  return undefined
})

/** A Service has been granted it by its address, and its labels follow with the route. */
const isAskedFor = ({ network }: CloudAddress, poolKey: string, { book, entriesOf }: Options): boolean =>
  book
    .poolsSharing(poolKey)
    .some((name) => entriesOf({ kind: "PersistentIPPool", name }).some((entry) => contains(network, entry.address)))

const isForbidden = ({ reason }: CloudError): boolean => reason._tag === "Forbidden"

/** What cannot be read might be whose an address is; and a list may be older than the hand that took the labels off. */
const giveOrphansBack = Effect.fnUntraced(function* (project: CloudProject, poolKey: string, options: Options) {
  const { book, isLeader, onChange, sweep } = options
  const caches = yield* Caches
  if (caches.allocations.undecodable.size > 0) return
  for (const { id, labels, name } of sweep.look(poolOf(poolKey), yield* monotonicMillis)) {
    const found = yield* project.address(id, "background")
    const isStill = found?.labels[labelNames.claim] === labels[labelNames.claim]
    // An API that answers late may have taken minutes.
    if (!(yield* isLeader)) return
    if (found !== undefined && isStill && !isAskedFor(found, poolKey, options)) {
      yield* Effect.logWarning("an address that nobody has is given back").pipe(
        Effect.annotateLogs({ id, name, namespace: labels["namespace"], service: labels["service"] })
      )
      yield* Effect.ensuring(giveOrphanBack(project, found), learnRight(book, project)).pipe(
        // Told as what the token lacks; the project can be read, and would be told as well and ill in turns.
        Effect.catchIf(isForbidden, () => Effect.void)
      )
    }
    book.seeAddresses(project, yield* project.addresses(Number.POSITIVE_INFINITY))
    // Each of them says so, and somebody may wait for the room.
    for (const key of book.keysSharing(poolKey)) onChange(key)
  }
})

/** Once a Node has been NotReady for its grace, what is routed to it is decided anew. */
const untilNextLook = Effect.fnUntraced(function* (
  integration: HetznerIntegration,
  poolKey: string,
  { millisUntilLost, onChange }: Options
) {
  const { nodeGraceMillis } = CloudRules.make({ hetzner: integration }, {})
  const dueMillis = yield* millisUntilLost(nodeGraceMillis)
  if (dueMillis === undefined || dueMillis > lookEveryMillis) return lookEveryMillis
  yield* Effect.forkDetach(
    Effect.andThen(
      Effect.sleep(dueMillis),
      Effect.sync(() => onChange(poolKey))
    )
  )
  return lookEveryMillis
})

export const step = (options: Options) =>
  Effect.fnUntraced(function* (poolKey: string): Effect.fn.Return<Outcome, never, Kubernetes | Cloud | Caches> {
    const { book, isLeader, namespace, onChange } = options
    if (!(yield* isLeader)) return "settled"
    const caches = yield* Caches
    const cloud = yield* Cloud
    const pool = cached(caches, poolKey)
    const integration = pool?.spec.cloudIntegration?.hetzner
    if (pool === undefined || integration === undefined) {
      book.forget(poolKey)
      return "settled"
    }
    book.cluster = caches.namespaces.get("kube-system")?.metadata.uid ?? ""
    const edition = `${pool.metadata.uid}/${pool.metadata.generation ?? 0}`
    const token = book.cluster === "" ? Result.fail(clusterUnknown) : yield* tokenOf(integration, namespace)
    const trouble = Result.isFailure(token)
      ? lasting(token.failure)
      : yield* Effect.flatMap(cloud.open(token.success), (project) => look(project, poolKey, edition, options)).pipe(
          Effect.catch((error) => Effect.succeed(troubleOf(error)))
        )
    if (trouble === undefined) return { afterMillis: yield* untilNextLook(integration, poolKey, options) }
    if (book.setPoolTrouble(poolKey, trouble)) {
      yield* Effect.logWarning("cloud project cannot be used").pipe(
        Effect.annotateLogs({ pool: poolKey, reason: trouble.reason, error: trouble.message })
      )
      onChange(poolKey)
    }
    return { afterMillis: retryMillis }
  })
