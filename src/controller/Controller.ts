/**
 * The controller: its caches and books, and its programs. Every replica follows the API and keeps its books; only the
 * leader writes. Who is told of which change stands in `Wiring.ts`.
 */
import { Clock, Effect } from "effect"
import type { Scope } from "effect"
import { entriesOf } from "../api/AllocationEntries.ts"
import { daemonSetName } from "../api/Names.ts"
import type { LeaderTimes } from "../domain/FailoverTimes.ts"
import type { Cloud } from "../ports/Cloud.ts"
import type { Kubernetes, KubernetesError } from "../ports/Kubernetes.ts"
import type { Peers } from "../ports/Peers.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import * as Reflector from "../reconcile/Reflector.ts"
import * as Signal from "../reconcile/Signal.ts"
import * as WorkQueue from "../reconcile/WorkQueue.ts"
import { Adoption } from "./Adoption.ts"
import { Books } from "./Books.ts"
import { Caches } from "./Caches.ts"
import * as CandidateChoice from "./CandidateChoice.ts"
import { LATE_MILLIS } from "./CandidateList.ts"
import type { Events } from "./Events.ts"
import * as Leader from "./Leader.ts"
import { NodeBook } from "./NodeBook.ts"
import * as CloudStep from "./cloud/CloudStep.ts"
import { OrphanSweep } from "./cloud/OrphanSweep.ts"
import * as ServerEvidence from "./cloud/ServerEvidence.ts"
import * as ProjectFollower from "./cloud/ProjectFollower.ts"
import * as Figures from "./Figures.ts"
import * as Members from "./Members.ts"
import * as NodeConfigWriter from "./NodeConfigWriter.ts"
import * as NodeFailure from "./NodeFailure.ts"
import * as OperatorDaemonSet from "./OperatorDaemonSet.ts"
import * as OperatorPods from "./OperatorPods.ts"
import type { Reconciling } from "./Observation.ts"
import * as PoolReconciler from "./PoolReconciler.ts"
import * as ServiceReconciler from "./ServiceReconciler.ts"
import type { ControllerSettings } from "./Settings.ts"
import * as Unreadable from "./Unreadable.ts"
import { makeCaches, newSinks, type Sinks } from "./Wiring.ts"
import * as WitnessSecret from "./WitnessSecret.ts"

export interface Controller {
  /** All caches have seen a complete list. */
  readonly isReady: Effect.Effect<boolean>
  readonly isLeader: Effect.Effect<boolean>
  /** What it can tell in figures, into the metric registry of who asks. */
  readonly measure: Effect.Effect<void>
}

/** Changes that come in a burst are answered once: the counters of a pool, the DaemonSet. */
const BATCH_MILLIS = 300

/** How soon to look again whether a node that is silent is to be named no more. */
const SILENT_LOOK_MILLIS = 10_000

/** Asked before each step: what is complete stays so. */
const readiness = (caches: Caches["Service"]): (() => boolean) => {
  let isReady = false
  return () => (isReady ||= Object.values(caches).every((cache) => cache.isSynced()))
}

/** Only candidates may be voters: others renew so seldom that they do not notice what they would be asked. */
const nodesOf = (
  registered: ReadonlyArray<Members.RegisteredNode>,
  { names }: CandidateChoice.Choice,
  { books, nodeBook, witness }: Pick<Deploying, "books" | "nodeBook" | "witness">
): NodeConfigWriter.Nodes => {
  const [fenced, macs] = [nodeBook.fencedHoldIds(), nodeBook.macs()]
  const voting = registered.filter(({ content }) => names?.includes(content.node) ?? true)
  return {
    ...(names === undefined ? {} : { candidates: names }),
    ...(macs.length === 0 ? {} : { macs }),
    ...(witness === undefined ? {} : { members: Members.membersOf(voting) }),
    ...(witness === undefined || fenced.length === 0 ? {} : { fenced }),
    ...(books.clouds.haveSaidIds() ? { nodesSayIds: true } : {})
  }
}

/** The ConfigMap comes first: an operator that starts must find what it may clean. And what it must keep (Adoption). */
const deployOperators = Effect.fnUntraced(function* (
  deploying: Deploying,
  adoption: Adoption
): Effect.fn.Return<WorkQueue.Outcome, KubernetesError, Kubernetes | Caches> {
  const { nodeBook, settings, witness } = deploying
  const caches = yield* Caches
  const nowMillis = yield* monotonicMillis
  const registered = nodeBook.registered(nowMillis)
  const candidates = CandidateChoice.choose({ ...deploying, ...settings }, registered, nowMillis)
  const wanted = yield* NodeConfigWriter.write(settings.namespace, nodesOf(registered, candidates, deploying))
  if (wanted && witness !== undefined) yield* witness.secret.ensure
  const ref = { namespace: settings.namespace, name: OperatorDaemonSet.templateConfigMapName }
  const present = caches.daemonSets.get(Reflector.keyOf({ namespace: settings.namespace, name: daemonSetName }))
  const template = caches.configMaps.get(Reflector.keyOf(ref))
  const change = OperatorDaemonSet.plan(wanted, template, present, settings.namespace)
  const isSilent = witness !== undefined && registered.some((each) => each.isSilent)
  const lookMillis = candidates.isPending ? LATE_MILLIS : SILENT_LOOK_MILLIS
  const settled = isSilent || candidates.isPending ? { afterMillis: lookMillis } : "settled"
  if (change === undefined) return settled
  const starts = change._tag === "Create" || change._tag === "Replace"
  const afterMillis = starts ? adoption.millisToWait(yield* monotonicMillis) : 0
  if (afterMillis > 0) return { afterMillis }
  const written = yield* OperatorDaemonSet.apply(change)
  if (written !== undefined) caches.daemonSets.absorb(written)
  yield* Effect.logInfo("operators deployed").pipe(Effect.annotateLogs({ change: change._tag }))
  const left = starts ? adoption.pending() : []
  if (left.length > 0) {
    yield* Effect.logWarning("operators deployed before these were adopted").pipe(
      Effect.annotateLogs({ allocations: left.slice(0, 20).join(" "), count: left.length })
    )
  }
  return settled
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

interface Deploying {
  readonly settings: ControllerSettings
  readonly books: Books
  readonly nodeBook: NodeBook
  readonly witness: NodeFailure.Asking | undefined
}

export interface Options {
  /** How nodes that vote are asked, and what a new key is drawn by; absent: nobody votes (`witness: off`). */
  readonly witness?: { readonly peers: Peers["Service"]; readonly newKey: Effect.Effect<string> } | undefined
  readonly settings: ControllerSettings
  readonly identity: string
  readonly leaderTimes: LeaderTimes
}

export const make = Effect.fnUntraced(function* ({
  identity,
  leaderTimes,
  settings,
  witness
}: Options): Effect.fn.Return<Controller, never, Kubernetes | Cloud | Events | Scope.Scope> {
  const clock = yield* Clock.Clock
  const nowMillis = () => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
  const nodeBook = new NodeBook(settings.renewEveryMillis, settings.fenceAfterMillis, nowMillis(), settings.candidates)
  const books = new Books((holder) => nodeBook.isFenced(holder))
  books.clouds.clusterName = settings.clusterName
  const adoption = new Adoption((holder) => nodeBook.isFenced(holder))
  const sinks = newSinks()
  books.wake = (keys) => {
    for (const key of keys) sinks.service(key)
  }
  const caches = yield* makeCaches({ adoption, books, nodeBook, sinks, nowMillis }, settings.namespace)
  const isReady = readiness(caches)
  const everything = Effect.sync(() => wakeEverything(caches, books, sinks))
  const scope = yield* Effect.scope
  /** The last term in which all grants were known, those of the leaders before included. */
  let knownTerm = 0
  const learnGrants = (term: number) =>
    caches.allocations.relist.pipe(
      Effect.andThen(
        Effect.sync(() => {
          knownTerm = Math.max(knownTerm, term)
          books.clouds.forgetViews()
        })
      ),
      Effect.when(Effect.sync(() => term > knownTerm)),
      Effect.andThen(everything),
      Effect.forkIn(scope),
      Effect.asVoid
    )
  const leader = yield* Leader.make({
    namespace: settings.namespace,
    identity,
    times: leaderTimes,
    leases: caches.leases,
    onElected: learnGrants,
    onAnsweredAgain: () => {
      for (const cache of Object.values(caches)) cache.reconnect()
    }
  })
  // Before every cache is complete nothing may be decided: to half a cache, every address has left its pool.
  const leads = Effect.map(leader.isLeader, (may) => may && isReady())
  // A watch may have died in silence: what was granted meanwhile, a new leader would grant again. No compare-and-set
  // spans two IPAllocations.
  const mayAct = Effect.map(leads, (may) => may && knownTerm === leader.term())
  const asking = witness && { peers: witness.peers, secret: WitnessSecret.make(settings.namespace, witness.newKey) }
  yield* startQueues({ settings, books, nodeBook, isLeader: mayAct }, { adoption, sinks, witness: asking }).pipe(
    Effect.provideService(Caches, caches)
  )
  const { fenceAfterMillis, namespace } = settings
  const onAwaited = (node: string) => {
    for (const key of books.keysByNode.get(node)) sinks.service(key)
    sinks.deployment()
  }
  const failure = { nodeBook, leases: caches.leases, namespace, isLeader: leads }
  yield* NodeFailure.run({ ...failure, fenceAfterMillis, onAwaited, witness: asking })
  const isNamed = (node: string) => books.keysByNode.get(node).size > 0
  yield* ServerEvidence.run({ ...failure, book: books.clouds, isNamed })
  yield* Effect.forEach(Object.values(caches), (cache) => cache.synced, { discard: true }).pipe(
    Effect.andThen(everything),
    Effect.forkScoped
  )
  const measure = Effect.gen(function* () {
    const state = { isLeader: yield* leader.isLeader, nowMillis: yield* monotonicMillis }
    yield* Figures.publish(Figures.figuresOf(books, nodeBook, state))
  })
  return { isReady: Effect.sync(isReady), isLeader: leader.isLeader, measure }
})

const wakeEverything = (caches: Caches["Service"], books: Books, sinks: Sinks): void => {
  for (const key of keysOf(caches.services.values())) sinks.service(key)
  for (const key of keysOf(caches.allocations.values())) sinks.service(key)
  for (const key of books.pools.keys()) {
    sinks.pool(key)
    sinks.project(key)
  }
  for (const [plural, { cache }] of Unreadable.watched(caches)) {
    for (const key of cache.undecodable.keys()) sinks.unreadable(Unreadable.keyOf(plural, key))
  }
  sinks.deployment()
  sinks.operatorPods()
}

const keysOf = (
  objects: Iterable<{ readonly metadata: { readonly name: string; readonly namespace?: string | undefined } }>
) => [...objects].map(({ metadata }) => Reflector.keyOf(metadata))

/** One queue for what is asked of the clouds for each Service, one for the project of each pool. */
const startCloudQueues = Effect.fnUntraced(function* (
  reconciling: Reconciling,
  sinks: Sinks,
  add: { readonly service: (key: string) => void; readonly report: (key: string) => void }
) {
  const { books, isLeader, nodeBook, settings } = reconciling
  const caches = yield* Caches
  const wakeForPool = (poolKey: string) => {
    sinks.pool(poolKey)
    const concerned = books.clouds.poolsSharing(poolKey).flatMap((name) => [...books.keysByPool.get(name)])
    const waiting = (["pools", "nodes", "clouds"] as const).flatMap((topic) => [...books.waiting.all(topic)])
    for (const key of [...concerned, ...waiting]) {
      books.clouds.setRetried(key, undefined)
      add.service(key)
    }
  }
  return {
    services: yield* WorkQueue.make({
      name: "clouds",
      concurrency: Math.max(4, settings.concurrency / 2),
      step: CloudStep.step({
        ...reconciling,
        oneByOne: CloudStep.oneByOne(),
        onDone: (key, change) => {
          add.service(key)
          // An address is free, or a server has room again.
          const brings = change._tag === "Return" || change._tag === "Route"
          if (brings) for (const other of books.waiting.all("clouds")) add.service(other)
        },
        onTold: add.report
      })
    }),
    projects: yield* WorkQueue.make({
      name: "cloud projects",
      concurrency: 4,
      step: ProjectFollower.step({
        book: books.clouds,
        sweep: new OrphanSweep(books.clouds),
        isLeader,
        namespace: settings.namespace,
        entriesOf: ({ kind, name }) =>
          [...books.keysByPool.get(name)].flatMap((key) => {
            const allocation = caches.allocations.get(key)
            return allocation === undefined
              ? []
              : entriesOf(allocation).filter(
                  (entry) => entry.pool === name && entry.node !== undefined && books.poolOfEntry(entry)?.kind === kind
                )
          }),
        millisUntilLost: (graceMillis) =>
          Effect.map(monotonicMillis, (now) => nodeBook.millisUntilLost(graceMillis, now)),
        onChange: wakeForPool
      })
    })
  }
})

interface Starting {
  readonly adoption: Adoption
  readonly sinks: Sinks
  readonly witness: NodeFailure.Asking | undefined
}

const startQueues = Effect.fnUntraced(function* (reconciling: Reconciling, { adoption, sinks, witness }: Starting) {
  const { books, isLeader, nodeBook, settings } = reconciling
  const operatorPods = new OperatorPods.OperatorPods()
  const reports = yield* WorkQueue.make({
    name: "reports",
    concurrency: Math.max(4, settings.concurrency / 4),
    step: Leader.leading(isLeader, ServiceReconciler.reportStep(reconciling))
  })
  const serviceQueue = yield* WorkQueue.make({
    name: "services",
    concurrency: settings.concurrency,
    step: Leader.leading(
      isLeader,
      ServiceReconciler.step(reconciling, {
        report: (key) => reports.add(key),
        cloud: (key) => clouds.services.add(key)
      })
    )
  })
  const clouds = yield* startCloudQueues(reconciling, sinks, {
    service: (key) => serviceQueue.add(key),
    report: (key) => reports.add(key)
  })
  const poolQueue = yield* WorkQueue.make({
    name: "pools",
    concurrency: 4,
    step: Leader.leading(isLeader, PoolReconciler.step({ books, isLeader, nodeBook, operatorPods }))
  })
  const deployment = yield* WorkQueue.make({
    name: "operators",
    concurrency: 1,
    step: Leader.leading(isLeader, () => deployOperators({ settings, books, nodeBook, witness }, adoption))
  })
  const operatorPodsQueue = yield* WorkQueue.make({
    name: "operator pods",
    concurrency: 1,
    step: OperatorPods.step({
      operatorPods,
      isLeader,
      namespace: settings.namespace,
      onChange: () => {
        for (const pool of books.pools.keys()) sinks.pool(pool)
      }
    })
  })
  const unreadable = yield* WorkQueue.make({ name: "unreadable", concurrency: 1, step: Unreadable.step(isLeader) })
  const addPool = yield* batched((key) => poolQueue.add(key))
  const addProject = yield* batched((key) => clouds.projects.add(key))
  sinks.service = (key) => serviceQueue.add(key)
  sinks.pool = addPool
  sinks.project = addProject
  sinks.unreadable = (key) => unreadable.add(key)
  sinks.deployment = () => deployment.add(daemonSetName)
  nodeBook.candidates.onCalls = sinks.deployment
  books.clouds.onSaidIds = sinks.deployment
  sinks.operatorPods = () => operatorPodsQueue.add(daemonSetName)
})
