/**
 * The controller: its caches, who is told of which change, and its programs. Every replica follows the API and keeps
 * its books; only the leader writes.
 *
 * Who is concerned by what (no scans): a Service or IPAllocation concerns its own key; a pool the keys that hold one of
 * its addresses and those that wait; a node or NodeLease the keys that name the node and those that wait.
 */
import { Effect } from "effect"
import type { Scope } from "effect"
import { configMaps } from "../api/ConfigMap.ts"
import { daemonSets } from "../api/DaemonSet.ts"
import type { EphemeralIPPool } from "../api/EphemeralIPPool.ts"
import { ephemeralIPPools } from "../api/EphemeralIPPool.ts"
import { ipAllocations } from "../api/IPAllocation.ts"
import { leases } from "../api/Lease.ts"
import { daemonSetName } from "../api/Names.ts"
import { namespaces } from "../api/Namespace.ts"
import type { Node } from "../api/Node.ts"
import { nodes } from "../api/Node.ts"
import type { PersistentIPPool } from "../api/PersistentIPPool.ts"
import { persistentIPPools } from "../api/PersistentIPPool.ts"
import { services } from "../api/Service.ts"
import type { LeaderTimes } from "../domain/FailoverTimes.ts"
import type { PoolKind } from "../domain/Pool.ts"
import type { Kubernetes } from "../ports/Kubernetes.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import * as Reflector from "../reconcile/Reflector.ts"
import * as Signal from "../reconcile/Signal.ts"
import * as WorkQueue from "../reconcile/WorkQueue.ts"
import { Books } from "./Books.ts"
import { Caches } from "./Caches.ts"
import type { Events } from "./Events.ts"
import * as Leader from "./Leader.ts"
import { NodeBook } from "./NodeBook.ts"
import * as NodeConfigWriter from "./NodeConfigWriter.ts"
import * as NodeFailure from "./NodeFailure.ts"
import * as OperatorDaemonSet from "./OperatorDaemonSet.ts"
import * as PoolReconciler from "./PoolReconciler.ts"
import * as ServiceReconciler from "./ServiceReconciler.ts"
import type { ControllerSettings } from "./Settings.ts"
import { reservedOf } from "./ReservedAddresses.ts"

export interface Controller {
  /** All caches have seen a complete list. */
  readonly isReady: Effect.Effect<boolean>
  readonly isLeader: Effect.Effect<boolean>
}

/** Queues do not exist before the caches that feed them: handlers add to these sinks, which are bound later. */
interface Sinks {
  service: (key: string) => void
  pool: (key: string) => void
  deployment: () => void
}

/** Changes that come in a burst are answered once: the counters of a pool, the DaemonSet. */
const BATCH_MILLIS = 300

const poolIsSame = (
  before: PersistentIPPool | EphemeralIPPool | undefined,
  after: PersistentIPPool | EphemeralIPPool | undefined
): boolean =>
  before !== undefined &&
  after !== undefined &&
  before.metadata.uid === after.metadata.uid &&
  before.metadata.generation === after.metadata.generation &&
  before.metadata.deletionTimestamp === after.metadata.deletionTimestamp &&
  JSON.stringify(before.metadata.annotations) === JSON.stringify(after.metadata.annotations)

/** What of a Node matters to holders, as text to compare: its heartbeat changes none of it. */
const placementFactsOf = (node: Node | undefined): string =>
  JSON.stringify([
    node?.metadata.uid,
    node?.metadata.labels,
    node?.metadata.deletionTimestamp,
    node?.spec,
    node?.status?.addresses,
    node?.status?.conditions?.map(({ status, type }) => `${type}=${status}`)
  ])

const makeCaches = Effect.fnUntraced(function* (
  settings: ControllerSettings,
  books: Books,
  nodeBook: NodeBook,
  sinks: Sinks
) {
  const now = yield* Effect.map(
    Effect.clockWith((clock) => Effect.succeed(clock)),
    (clock) => () => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
  )
  const wake = (keys: Iterable<string>) => {
    for (const key of keys) sinks.service(key)
  }
  const poolsOf = (allocation: { readonly spec: { readonly allocations: ReadonlyArray<{ readonly pool: string }> } }) =>
    allocation.spec.allocations.map(({ pool }) => pool)
  const onPool =
    (kind: PoolKind) =>
    ({ after, before, key }: Reflector.Change<PersistentIPPool | EphemeralIPPool>) => {
      sinks.pool(PoolReconciler.keyOfPool(kind, key))
      if (poolIsSame(before, after)) return
      books.onPool(kind, key, after)
      for (const other of books.pools.keys()) sinks.pool(other)
      sinks.deployment()
      wake(books.keysByPool.get(key))
      wake(books.waiting)
    }
  const onNode = (name: string) => {
    wake(books.keysByNode.get(name))
    wake(books.waiting)
  }
  const own = { namespace: settings.namespace }
  return Caches.of({
    services: yield* Reflector.make({ type: services, onChange: ({ key }) => sinks.service(key) }),
    allocations: yield* Reflector.make({
      type: ipAllocations,
      onChange: (change) => {
        const { after, before, key } = change
        books.onAllocation(change)
        sinks.service(key)
        const freed = before !== undefined && (after === undefined || poolsOf(before).length > poolsOf(after).length)
        if (freed) wake(books.waiting)
        for (const pool of new Set([before, after].flatMap((each) => (each === undefined ? [] : poolsOf(each))))) {
          sinks.pool(PoolReconciler.keyOfPool("PersistentIPPool", pool))
          sinks.pool(PoolReconciler.keyOfPool("EphemeralIPPool", pool))
        }
      }
    }),
    persistentPools: yield* Reflector.make({ type: persistentIPPools, onChange: onPool("PersistentIPPool") }),
    ephemeralPools: yield* Reflector.make({ type: ephemeralIPPools, onChange: onPool("EphemeralIPPool") }),
    nodes: yield* Reflector.make({
      type: nodes,
      onChange: ({ after, before, key }) => {
        if (after === undefined) nodeBook.nodes.delete(key)
        else nodeBook.nodes.set(key, after)
        if (placementFactsOf(before) === placementFactsOf(after)) return
        if (books.onNode(key, after, reservedOf)) for (const pool of books.pools.keys()) sinks.pool(pool)
        onNode(key)
      }
    }),
    namespaces: yield* Reflector.make({ type: namespaces, onChange: () => wake(books.waiting) }),
    leases: yield* Reflector.make({
      type: leases,
      selection: own,
      onChange: (change) => {
        const changed = nodeBook.onLease(change, now())
        if (changed !== undefined) onNode(changed)
      },
      onSynced: () => nodeBook.onLeasesListed(now())
    }),
    configMaps: yield* Reflector.make({ type: configMaps, selection: own, onChange: () => sinks.deployment() }),
    daemonSets: yield* Reflector.make({ type: daemonSets, selection: own, onChange: () => sinks.deployment() })
  })
})

const isReady = (caches: Caches["Service"]): boolean => Object.values(caches).every((cache) => cache.isSynced())

/** The ConfigMap comes first: an operator that starts must find what it may clean. */
const deployOperators = Effect.fn("Controller.deployOperators")(function* (settings: ControllerSettings) {
  const caches = yield* Caches
  const wanted = yield* NodeConfigWriter.write(settings.namespace)
  const ref = { namespace: settings.namespace, name: OperatorDaemonSet.templateConfigMapName }
  const present = caches.daemonSets.get(Reflector.keyOf({ namespace: settings.namespace, name: daemonSetName }))
  const template = caches.configMaps.get(Reflector.keyOf(ref))
  const change = OperatorDaemonSet.plan(wanted, template, present, settings.namespace)
  if (change === undefined) return
  const written = yield* OperatorDaemonSet.apply(change)
  if (written !== undefined) caches.daemonSets.absorb(written)
  yield* Effect.logInfo("operators deployed").pipe(Effect.annotateLogs({ change: change._tag }))
})

/** Collects what is added within a short while and hands each key on once. */
const batched = Effect.fnUntraced(function* (handOn: (key: string) => void) {
  const signal = yield* Signal.make
  const keys = new Set<string>()
  const flush = Effect.sync(() => {
    for (const key of keys) handOn(key)
    keys.clear()
  })
  yield* signal.wait.pipe(
    Effect.andThen(Effect.sleep(BATCH_MILLIS)),
    Effect.andThen(flush),
    Effect.forever,
    Effect.forkScoped
  )
  return (key: string) => {
    keys.add(key)
    signal.give()
  }
})

export interface Options {
  readonly settings: ControllerSettings
  readonly identity: string
  readonly leaderTimes: LeaderTimes
}

export const make = Effect.fnUntraced(function* ({
  identity,
  leaderTimes,
  settings
}: Options): Effect.fn.Return<Controller, never, Kubernetes | Events | Scope.Scope> {
  const books = new Books()
  const nodeBook = new NodeBook(settings.renewEveryMillis, settings.fenceAfterMillis, yield* monotonicMillis)
  const sinks: Sinks = { service: () => {}, pool: () => {}, deployment: () => {} }
  const caches = yield* makeCaches(settings, books, nodeBook, sinks)
  const everything = Effect.sync(() => {
    for (const key of keysOf(caches.services.values())) sinks.service(key)
    for (const key of keysOf(caches.allocations.values())) sinks.service(key)
    for (const key of books.pools.keys()) sinks.pool(key)
    sinks.deployment()
  })
  const leader = yield* Leader.make({
    namespace: settings.namespace,
    identity,
    times: leaderTimes,
    leases: caches.leases,
    onElected: everything
  })
  // Before every cache is complete nothing may be decided: to half a cache, every address has left its pool.
  const mayAct = Effect.suspend(() => (isReady(caches) ? leader.isLeader : Effect.succeed(false)))
  yield* startQueues({ settings, books, nodeBook, isLeader: mayAct }, sinks).pipe(Effect.provideService(Caches, caches))
  yield* NodeFailure.run({
    nodeBook,
    leases: caches.leases,
    namespace: settings.namespace,
    isLeader: mayAct
  })
  yield* Effect.forEach(Object.values(caches), (cache) => cache.synced, { discard: true }).pipe(
    Effect.andThen(everything),
    Effect.forkScoped
  )
  return { isReady: Effect.sync(() => isReady(caches)), isLeader: leader.isLeader }
})

const keysOf = (
  objects: Iterable<{ readonly metadata: { readonly name: string; readonly namespace?: string | undefined } }>
) => [...objects].map(({ metadata }) => Reflector.keyOf(metadata))

const startQueues = Effect.fnUntraced(function* (reconciling: ServiceReconciler.Reconciling, sinks: Sinks) {
  const { books, isLeader, settings } = reconciling
  const reports = yield* WorkQueue.make({
    name: "reports",
    concurrency: Math.max(4, settings.concurrency / 4),
    step: ServiceReconciler.reportStep(reconciling)
  })
  const serviceQueue = yield* WorkQueue.make({
    name: "services",
    concurrency: settings.concurrency,
    step: ServiceReconciler.step(reconciling, (key) => reports.add(key))
  })
  const poolQueue = yield* WorkQueue.make({
    name: "pools",
    concurrency: 4,
    step: PoolReconciler.step({ books, isLeader })
  })
  const deployment = yield* WorkQueue.make({
    name: "operators",
    concurrency: 1,
    step: () =>
      Effect.flatMap(isLeader, (leads) => (leads ? deployOperators(settings) : Effect.void)).pipe(
        Effect.as<WorkQueue.Outcome>("settled")
      )
  })
  const addPool = yield* batched((key) => poolQueue.add(key))
  sinks.service = (key) => serviceQueue.add(key)
  sinks.pool = addPool
  sinks.deployment = () => deployment.add(daemonSetName)
})
