/**
 * What a pool tells its users: counters, conflicts, fields that this version does not act on. And its finalizer: a pool
 * stays until the last of its addresses is released.
 */
import { Effect } from "effect"
import type { Condition } from "../api/Condition.ts"
import { setCondition } from "../api/Condition.ts"
import type { EphemeralIPPool } from "../api/EphemeralIPPool.ts"
import { ephemeralIPPools } from "../api/EphemeralIPPool.ts"
import { fieldsNotHonoured } from "../api/FieldSupport.ts"
import { apiVersion, controllerFieldManager, finalizer } from "../api/Names.ts"
import type { PersistentIPPool } from "../api/PersistentIPPool.ts"
import { persistentIPPools } from "../api/PersistentIPPool.ts"
import type { PoolStatus } from "../api/PoolStatus.ts"
import * as AddressIndex from "../domain/AddressIndex.ts"
import { type Ownership, ownershipOf } from "../domain/CloudClaim.ts"
import * as CorrelationId from "../domain/CorrelationId.ts"
import { withShortMessage } from "../domain/Message.ts"
import type * as Pool from "../domain/Pool.ts"
import * as PoolConflicts from "../domain/PoolConflicts.ts"
import type { CloudAddress } from "../ports/Cloud.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import type { KubernetesError } from "../ports/Kubernetes.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import { Pace, repeatingPace } from "../reconcile/Pace.ts"
import { writing } from "../reconcile/ReadBack.ts"
import * as Timestamp from "../reconcile/Timestamp.ts"
import type { Outcome } from "../reconcile/WorkQueue.ts"
import type { Books, KnownPool } from "./Books.ts"
import { OrphanSweep } from "./cloud/OrphanSweep.ts"
import { Caches } from "./Caches.ts"
import { Events } from "./Events.ts"
import * as FenceBypassed from "./FenceBypassed.ts"
import type { NodeBook } from "./NodeBook.ts"
import type { OperatorPods } from "./OperatorPods.ts"
import * as VotersUnreached from "./VotersUnreached.ts"

type AnyPool = PersistentIPPool | EphemeralIPPool

export const keyOfPool = (kind: Pool.PoolKind, name: string): string => `${kind}/${name}`

/** Conditions without their times. */
type Finding = Omit<Condition, "lastTransitionTime">

/** What was refused to a write is told of what can be read only. */
const cloudTrouble = (pool: Pool.Pool, { clouds }: Books) => clouds.poolTrouble(pool) ?? clouds.readOnlyTrouble(pool)

const ready = ({ pool }: KnownPool, books: Books): Finding => {
  if (pool.deleting) {
    return { type: "Ready", status: "False", reason: "Deleting", message: "Waits until its addresses are released." }
  }
  if (pool.disabled) {
    return { type: "Ready", status: "False", reason: "Disabled", message: "spec.disabled is true: no new grants." }
  }
  const trouble = pool.cloud === undefined ? undefined : cloudTrouble(pool, books)
  if (trouble !== undefined) return { type: "Ready", status: "False", ...trouble }
  return { type: "Ready", status: "True", reason: "Ready", message: "Grants addresses." }
}

const hasTokenInPool = ({ spec }: AnyPool): boolean => spec.cloudIntegration?.hetzner?.token !== undefined

/** Only of pools with a cloud. */
const credentials = ({ pool }: KnownPool, object: AnyPool, books: Books): ReadonlyArray<Finding> => {
  if (pool.cloud === undefined) return []
  const type = "CredentialsValid"
  const trouble = cloudTrouble(pool, books)
  if (trouble !== undefined) return [{ type, status: "False", ...trouble }]
  if (books.clouds.viewOf(pool) === undefined) {
    return [{ type, status: "Unknown", reason: "CloudNotRead", message: "The cloud project has not been read yet." }]
  }
  return [
    hasTokenInPool(object)
      ? {
          type,
          status: "True",
          reason: "TokenInPool",
          message:
            "The token is accepted, and everybody who may read pools can read it. Put it into a Secret in the " +
            "controller's namespace, name that in tokenSecretRef, and take spec.cloudIntegration.hetzner.token away."
        }
      : { type, status: "True", reason: "Accepted", message: "The token opens the project of the cluster's nodes." }
  ]
}

const conflict = ({ pool }: KnownPool, books: Books): Finding => {
  const concerns = (ref: Pool.PoolRef) => ref.kind === pool.kind && ref.name === pool.name
  const found = books.addresses.index.conflicts.filter(
    ({ loser, winner }) => concerns(loser) || (winner._tag === "Pool" && concerns(winner.pool))
  )
  const [first] = found
  if (first === undefined) {
    return { type: "PoolConflict", status: "False", reason: "NoConflict", message: "No address is claimed twice." }
  }
  const more = found.length > 1 ? ` (and ${found.length - 1} more)` : ""
  return { type: "PoolConflict", status: "True", reason: "Overlap", message: PoolConflicts.describe(first) + more }
}

const orphaned = (orphans: ReadonlyArray<CloudAddress>) => {
  const named = (ownership: Ownership) =>
    orphans
      .filter(({ labels }) => ownershipOf(labels) === ownership)
      .map(({ id, labels, network }) => `${network} (id ${id}, for ${labels["namespace"]}/${labels["service"]})`)
      .join(", ")
  const [bought, users] = [named("created"), named("adopted")]
  const sentences = [
    ...(bought === ""
      ? []
      : [`Bought by this cluster for what is no more: ${bought}. It is given back after ten minutes.`]),
    ...(users === "" ? [] : [`Labelled for what is no more: ${users}. Our labels are taken off after ten minutes.`])
  ]
  return { reason: "OrphanedAddresses", message: sentences.join(" ") }
}

const deletedAddresses = (addresses: ReadonlyArray<string>, { kind }: Pool.Pool) => ({
  reason: "CloudAddressDeleted",
  message:
    `Deleted at the provider, though granted: ${addresses.join(", ")}. ` +
    (kind === "EphemeralIPPool"
      ? "Others are bought for Services that do not name them."
      : "Take off spec.addresses what you deleted: nothing else is given for it.")
})

/** Of the nodes, for every pool that adds addresses to an interface. */
interface ToldOfNodes {
  readonly operators: string | undefined
  readonly unreached: string | undefined
  readonly bypassed: string | undefined
}

const degraded = ({ pool, problems }: KnownPool, object: AnyPool, books: Books, told: ToldOfNodes): Finding => {
  const [problem] = problems
  if (told.operators !== undefined && pool.interfaceName !== undefined) {
    return { type: "Degraded", status: "True", reason: "OperatorsNotRunning", message: told.operators }
  }
  if (problem !== undefined) return { type: "Degraded", status: "True", ...problem }
  const deleted = books.deletedIn(pool)
  if (deleted.length > 0) return { type: "Degraded", status: "True", ...deletedAddresses(deleted, pool) }
  const orphans = pool.cloud === undefined ? [] : new OrphanSweep(books.clouds).orphansOf(pool)
  if (orphans.length > 0) return { type: "Degraded", status: "True", ...orphaned(orphans) }
  const hasLease = pool.interfaceName !== undefined && pool.onControlPlaneLoss !== "keep"
  if (told.unreached !== undefined && hasLease) {
    return { type: "Degraded", status: "True", reason: "VotersUnreached", message: told.unreached }
  }
  if (told.bypassed !== undefined && hasLease) {
    return { type: "Degraded", status: "True", reason: "FenceBypassed", message: told.bypassed }
  }
  const fields = fieldsNotHonoured(object)
  if (fields.length > 0) {
    const message = `This version does not act on ${fields.join(", ")}. Remove what you do not need, or upgrade.`
    return { type: "Degraded", status: "True", reason: "FieldNotYetHonoured", message }
  }
  return { type: "Degraded", status: "False", reason: "AsSpecified", message: "Every field is acted on." }
}

const statusOf = (known: KnownPool, object: AnyPool, books: Books, told: ToldOfNodes, now: string): PoolStatus => {
  const counts = AddressIndex.counts(books.addresses.index, known.pool)
  const families = (["IPv4", "IPv6"] as const)
    .filter((family) => counts[family].total > 0 || counts[family].inUse > 0)
    .map((family) => ({
      family,
      addressesTotal: counts[family].total,
      addressesInUse: counts[family].inUse,
      addressesAvailable: counts[family].available
    }))
  const sum = (pick: (family: (typeof families)[number]) => number) =>
    Math.min(
      Number.MAX_SAFE_INTEGER,
      families.reduce((total, family) => total + pick(family), 0)
    )
  const findings = [
    ready(known, books),
    conflict(known, books),
    ...credentials(known, object, books),
    degraded(known, object, books, told)
  ]
  return {
    observedGeneration: object.metadata.generation ?? 0,
    addressesTotal: sum((family) => family.addressesTotal),
    addressesInUse: sum((family) => family.addressesInUse),
    addressesAvailable: sum((family) => family.addressesAvailable),
    families,
    conditions: findings
      .map(withShortMessage)
      .reduce<ReadonlyArray<Condition>>(
        (conditions, finding) => setCondition(conditions, { ...asTold(conditions, finding), lastTransitionTime: now }),
        object.status?.conditions ?? []
      )
  }
}

/** In the words of before, where they say the same. */
const asTold = (conditions: ReadonlyArray<Condition>, finding: Finding): Finding => {
  const before = conditions.find(({ type }) => type === finding.type)
  const isSame = before?.reason === finding.reason && CorrelationId.isSameBut(before.message, finding.message)
  return isSame ? { ...finding, message: before.message } : finding
}

const changedConditions = (before: PoolStatus | undefined, after: PoolStatus): ReadonlyArray<Condition> =>
  (after.conditions ?? []).filter((condition) => {
    const old = before?.conditions?.find(({ type }) => type === condition.type)
    return isTrouble(condition) && (old?.status !== condition.status || old.message !== condition.message)
  })

const isTrouble = ({ reason, status, type }: Condition): boolean => {
  if (type === "Ready") return false
  return type === "CredentialsValid" ? status === "False" || reason === "TokenInPool" : status === "True"
}

/** Removing our finalizer, or putting it there; undefined when it is as it should be. */
const finalizersFor = (object: AnyPool, books: Books): ReadonlyArray<string> | undefined => {
  const present = object.metadata.finalizers ?? []
  const has = present.includes(finalizer)
  if (object.metadata.deletionTimestamp === undefined) return has ? undefined : [...present, finalizer]
  const inUse = books.keysByPool.get(object.metadata.name).size > 0
  return has && !inUse ? present.filter((each) => each !== finalizer) : undefined
}

const sameStatus = (before: PoolStatus | undefined, after: PoolStatus): boolean =>
  before !== undefined &&
  before.observedGeneration === after.observedGeneration &&
  before.addressesTotal === after.addressesTotal &&
  before.addressesInUse === after.addressesInUse &&
  before.addressesAvailable === after.addressesAvailable &&
  JSON.stringify(before.families ?? []) === JSON.stringify(after.families ?? []) &&
  (before.conditions ?? []) === after.conditions

/** The times in it are those of each writing. */
const paceKeyOf = ({ metadata }: AnyPool, written: object): string =>
  `${metadata.uid} ${JSON.stringify(written, (field, value) => (field === "lastTransitionTime" ? undefined : value))}`

export interface Options {
  readonly books: Books
  readonly isLeader: Effect.Effect<boolean>
  readonly operatorPods: Pick<OperatorPods, "message">
  readonly nodeBook: Pick<NodeBook, "currentLeases">
}

export const step = ({ books, isLeader, nodeBook, operatorPods }: Options) => {
  const pace = new Pace(repeatingPace)
  return Effect.fnUntraced(function* (
    key: string
  ): Effect.fn.Return<Outcome, KubernetesError, Kubernetes | Caches | Events> {
    if (!(yield* isLeader)) return "settled"
    const caches = yield* Caches
    const kubernetes = yield* Kubernetes
    const known = books.pools.get(key)
    const persistent = key.startsWith("PersistentIPPool/")
    const name = key.slice(key.indexOf("/") + 1)
    const object: AnyPool | undefined = persistent ? caches.persistentPools.get(name) : caches.ephemeralPools.get(name)
    if (known === undefined || object === undefined) return "settled"

    const patch = (body: { readonly [field: string]: unknown }) =>
      persistent
        ? writing(
            kubernetes.patch(persistentIPPools, { name }, body),
            persistentIPPools,
            { name },
            caches.persistentPools
          )
        : writing(kubernetes.patch(ephemeralIPPools, { name }, body), ephemeralIPPools, { name }, caches.ephemeralPools)
    const finalizers = finalizersFor(object, books)
    const nowMillis = yield* monotonicMillis
    if (finalizers !== undefined) {
      const waitMillis = pace.take(paceKeyOf(object, finalizers), nowMillis)
      if (waitMillis > 0) return { afterMillis: waitMillis }
      yield* patch({ metadata: { resourceVersion: object.metadata.resourceVersion, finalizers } })
      return "again"
    }
    const leases = nodeBook.currentLeases()
    const told = {
      operators: operatorPods.message,
      unreached: VotersUnreached.describe(leases),
      bypassed: FenceBypassed.describe(leases)
    }
    const status = statusOf(known, object, books, told, yield* Timestamp.now)
    if (sameStatus(object.status, status)) return "settled"
    const waitMillis = pace.take(paceKeyOf(object, status), nowMillis)
    if (waitMillis > 0) return { afterMillis: waitMillis }
    const applied = {
      apiVersion,
      kind: known.pool.kind,
      metadata: { name, uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion },
      status
    }
    const options = { fieldManager: controllerFieldManager, force: true, subresource: "status" } as const
    yield* persistent
      ? writing(
          kubernetes.apply(persistentIPPools, applied, options),
          persistentIPPools,
          { name },
          caches.persistentPools
        )
      : writing(kubernetes.apply(ephemeralIPPools, applied, options), ephemeralIPPools, { name }, caches.ephemeralPools)
    const events = yield* Events
    const regarding = { apiVersion, kind: known.pool.kind, name, uid: object.metadata.uid ?? "" }
    for (const { message, reason } of changedConditions(object.status, status)) {
      yield* events.tell({ regarding, type: "Warning", reason, message })
    }
    return "settled"
  })
}
