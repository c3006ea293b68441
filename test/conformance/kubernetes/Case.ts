/** What a conformance case is, and the words that cases are written in. */
import { assert } from "@effect/vitest"
import { Effect, Fiber, Queue, Random, Schema, type Scope, Stream } from "effect"
import { objectFields, type KubernetesObject, type ResourceType } from "../../../src/api/KubernetesObject.ts"
import { namespaces } from "../../../src/api/Namespace.ts"
import {
  Kubernetes,
  type KubernetesError,
  type Reason,
  type Selection,
  type WatchEvent
} from "../../../src/ports/Kubernetes.ts"

export interface Case {
  /** A sentence that is true of every API server. */
  readonly name: string
  /** `controllers`: kube-controller-manager's garbage collector and namespace controller run. */
  readonly needs?: "controllers"
  readonly run: Effect.Effect<void, unknown, Kubernetes | Scope.Scope>
}

export const given = (name: string, run: Case["run"]): Case => ({ name, run })

/** Any object as it is stored, whatever its kind's Schema drops: for what a case must see, or may not write otherwise. */
export type Untyped = KubernetesObject & { readonly [key: string]: unknown }

const UntypedSchema = Schema.StructWithRest(Schema.Struct(objectFields), [Schema.Record(Schema.String, Schema.Unknown)])

export const untyped = (type: ResourceType<KubernetesObject>): ResourceType<Untyped> => ({
  ...type,
  schema: UntypedSchema
})

/** How long a case waits for an event that must come; a server that keeps its promises never lets it. */
const patience = "20 seconds"

/** Cases share a server: none uses a name that another might. */
export const uniqueName = (prefix: string): Effect.Effect<string> =>
  Effect.map(Random.nextIntBetween(0, 2 ** 31), (number) => `${prefix}-${number.toString(16)}`)

export const newNamespace: Effect.Effect<string, KubernetesError, Kubernetes> = Effect.gen(function* () {
  const name = yield* uniqueName("case")
  const kubernetes = yield* Kubernetes
  yield* kubernetes.create(namespaces, { metadata: { name } })
  return name
})

/** The reason of a failure that must happen. */
export const reasonOf = <A, R>(effect: Effect.Effect<A, KubernetesError, R>): Effect.Effect<Reason, A, R> =>
  Effect.map(Effect.flip(effect), (error) => error.reason)

export const refused = <A, R>(
  tag: Reason["_tag"],
  effect: Effect.Effect<A, KubernetesError, R>
): Effect.Effect<Reason, A, R> =>
  Effect.tap(reasonOf(effect), (reason) =>
    Effect.sync(() => assert.strictEqual(reason._tag, tag, "message" in reason ? reason.message : ""))
  )

/** An `Invalid` whose message names the field. */
export const invalid = <A, R>(field: string, effect: Effect.Effect<A, KubernetesError, R>): Effect.Effect<void, A, R> =>
  Effect.map(refused("Invalid", effect), (reason) => assert.include("message" in reason ? reason.message : "", field))

export interface Watching<A> {
  /** The next event; bookmarks are passed over. */
  readonly next: Effect.Effect<WatchEvent<A>, unknown>
  /** The end of the watch: its failure, or nothing when it was closed in peace. */
  readonly ended: Effect.Effect<KubernetesError | undefined, unknown>
}

/** A watch that runs as long as the case. */
export const watching = <A extends KubernetesObject>(
  type: ResourceType<A>,
  selection: Selection,
  resourceVersion: string
): Effect.Effect<Watching<A>, never, Kubernetes | Scope.Scope> =>
  Effect.gen(function* () {
    const kubernetes = yield* Kubernetes
    const events = yield* Queue.unbounded<WatchEvent<A>>()
    const fiber = yield* kubernetes.watch(type, selection, resourceVersion).pipe(
      Stream.filter((event) => event.type !== "Bookmark"),
      Stream.runForEach((event) => Queue.offer(events, event)),
      Effect.match({ onSuccess: () => undefined, onFailure: (error) => error }),
      Effect.forkScoped
    )
    return {
      next: Effect.timeout(Queue.take(events), patience),
      ended: Effect.timeout(Fiber.join(fiber), patience)
    }
  })

/** `Added web`: what most cases ask of an event. */
export const summary = <A extends KubernetesObject>(event: WatchEvent<A>): string =>
  event.type === "Bookmark" ? "Bookmark" : `${event.type} ${event.object.metadata.name}`

export const nextSummaries = <A extends KubernetesObject>(
  watch: Watching<A>,
  count: number
): Effect.Effect<ReadonlyArray<string>, unknown> =>
  Effect.map(Effect.all(Array.from({ length: count }, () => watch.next)), (events) => events.map(summary))

export const versionOf = (object: KubernetesObject): string => object.metadata.resourceVersion ?? "(none)"
