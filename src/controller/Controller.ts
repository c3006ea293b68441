/**
 * The controller: its caches and books, and its programs. Every replica follows the API and keeps its books; only the
 * leader writes. Who is told of which change stands in `Wiring.ts`, what is worked on by which queue in `Queues.ts`, and when
 * this replica may decide in `Readiness.ts`.
 */
import { Clock, Effect } from "effect"
import type { Scope } from "effect"
import type { LeaderTimes } from "../domain/FailoverTimes.ts"
import type { Cloud } from "../ports/Cloud.ts"
import type { Kubernetes } from "../ports/Kubernetes.ts"
import type { Peers } from "../ports/Peers.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import { Adoption } from "./Adoption.ts"
import { Books } from "./Books.ts"
import { Caches } from "./Caches.ts"
import type { Events } from "./Events.ts"
import { NodeBook } from "./NodeBook.ts"
import * as ServerEvidence from "./cloud/ServerEvidence.ts"
import * as Figures from "./Figures.ts"
import * as NodeFailure from "./NodeFailure.ts"
import * as Queues from "./Queues.ts"
import * as Readiness from "./Readiness.ts"
import type { ControllerSettings } from "./Settings.ts"
import { makeCaches, newSinks } from "./Wiring.ts"
import * as WitnessSecret from "./WitnessSecret.ts"

export interface Controller {
  /** All caches have seen a complete list. */
  readonly isReady: Effect.Effect<boolean>
  readonly isLeader: Effect.Effect<boolean>
  /** What it can tell in figures, into the metric registry of who asks. */
  readonly measure: Effect.Effect<void>
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
  const { fenceAfterMillis, namespace } = settings
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
  const caches = yield* makeCaches({ adoption, books, nodeBook, sinks, nowMillis }, namespace)
  const wakeEverything = Effect.sync(() => Queues.wakeEverything(caches, { books, nodeBook }, sinks))
  const { isLeader, isReady, leads, mayAct } = yield* Readiness.make({
    namespace,
    identity,
    leaderTimes,
    caches,
    onGrantsKnown: () => books.clouds.beginTerm(),
    wakeEverything
  })
  const asking = witness && { peers: witness.peers, secret: WitnessSecret.make(namespace, witness.newKey) }
  yield* Queues.start({ settings, books, nodeBook, isLeader: mayAct }, { adoption, sinks, witness: asking }).pipe(
    Effect.provideService(Caches, caches)
  )
  const onAwaited = (node: string) => {
    for (const key of books.keysByNode.get(node)) sinks.service(key)
    sinks.deployment()
  }
  const failure = { nodeBook, leases: caches.leases, namespace, isLeader: leads }
  yield* NodeFailure.run({ ...failure, fenceAfterMillis, onAwaited, witness: asking })
  const isNamed = (node: string) => books.keysByNode.get(node).size > 0
  yield* ServerEvidence.run({ ...failure, book: books.clouds, isNamed })
  yield* Effect.forEach(Object.values(caches), (cache) => cache.synced, { discard: true }).pipe(
    Effect.andThen(wakeEverything),
    Effect.forkScoped
  )
  const measure = Effect.gen(function* () {
    const state = { isLeader: yield* isLeader, nowMillis: yield* monotonicMillis }
    yield* Figures.publish(Figures.figuresOf(books, nodeBook, state))
  })
  return { isReady: Effect.sync(isReady), isLeader, measure }
})
