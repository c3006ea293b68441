/** The controller's queues: what each works on, how much of it at once, and which step it takes. */
import { Effect } from "effect"
import { daemonSetName } from "../api/Names.ts"
import { forkForEver } from "../reconcile/ForEver.ts"
import * as Reflector from "../reconcile/Reflector.ts"
import * as Signal from "../reconcile/Signal.ts"
import * as WorkQueue from "../reconcile/WorkQueue.ts"
import type { Adoption } from "./Adoption.ts"
import type { Caches } from "./Caches.ts"
import * as CloudQueues from "./cloud/CloudQueues.ts"
import * as Leader from "./Leader.ts"
import type * as NodeFailure from "./NodeFailure.ts"
import type { Reconciling } from "./Observation.ts"
import * as OperatorDeployment from "./OperatorDeployment.ts"
import * as OperatorPods from "./OperatorPods.ts"
import * as PoolReconciler from "./PoolReconciler.ts"
import * as ServiceReconciler from "./ServiceReconciler.ts"
import * as Unreadable from "./Unreadable.ts"
import type { Sinks } from "./Wiring.ts"

/** Changes that come in a burst are answered once: the counters of a pool, the DaemonSet. */
const BATCH_MILLIS = 300

/** Collects what is added within a short while and hands each key on once. */
const batched = Effect.fnUntraced(function* (handOn: (key: string) => void) {
  const signal = yield* Signal.make
  const keys = new Set<string>()
  const flush = Effect.sync(() => {
    for (const key of keys) handOn(key)
    keys.clear()
  })
  const turn = Effect.andThen(signal.wait, Effect.andThen(Effect.sleep(BATCH_MILLIS), flush))
  yield* forkForEver("what wakes queues", turn)
  return (key: string) => {
    keys.add(key)
    signal.give()
  }
})

/** What is asked for within a short while after it was done is done once more after that. */
const spaced = Effect.fnUntraced(function* (handOn: () => void) {
  const signal = yield* Signal.make
  const turn = Effect.andThen(signal.wait, Effect.andThen(Effect.sync(handOn), Effect.sleep(BATCH_MILLIS)))
  yield* forkForEver("what wakes queues", turn)
  return signal.give
})

interface Starting {
  readonly adoption: Adoption
  readonly sinks: Sinks
  readonly witness: NodeFailure.Asking | undefined
}

/** Their own steps, and what feeds them: from here on the sinks lead to the queues. */
export const start = Effect.fnUntraced(function* (reconciling: Reconciling, { adoption, sinks, witness }: Starting) {
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
  const clouds = yield* CloudQueues.start(reconciling, sinks, {
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
    step: Leader.leading(isLeader, OperatorDeployment.step({ settings, books, nodeBook, witness }, adoption))
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
  // All operators hear of each write, and a cluster that starts changes by each of them.
  sinks.deployment = yield* spaced(() => deployment.add(daemonSetName))
  // A Service waits for it.
  nodeBook.candidates.onCalls = () => deployment.add(daemonSetName)
  books.clouds.onSaidIds = sinks.deployment
  sinks.operatorPods = () => operatorPodsQueue.add(daemonSetName)
})

/**
 * Each key of each queue: at the start, and when this replica has come to lead. With those of Services that went while another
 * led: what was remembered of them in an earlier term would be for ever.
 */
export const wakeEverything = (
  caches: Caches["Service"],
  { books, nodeBook }: Pick<Reconciling, "books" | "nodeBook">,
  sinks: Sinks
): void => {
  for (const key of books.keysToSettle().union(new Set(nodeBook.candidates.callers()))) sinks.service(key)
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
