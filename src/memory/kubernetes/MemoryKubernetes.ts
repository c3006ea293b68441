/**
 * The Kubernetes port over an API server in memory: synchronous, deterministic, and as strict as a real one as far as
 * `test/conformance/kubernetes` goes. Each request touches the truth in one step that nothing can interrupt; time passes
 * only where a fault says so, and by the Clock.
 */
import { Clock, Effect, Queue, Result } from "effect"
import type { KubernetesObject, ObjectRef, ResourceType } from "../../api/KubernetesObject.ts"
import type { CustomResourceDefinition } from "../../api/CustomResourceDefinition.ts"
import type { Kubernetes } from "../../ports/Kubernetes.ts"
import type { ApiServer } from "./ApiServer.ts"
import { customResourceDefinitions, namespaces } from "./BuiltinKinds.ts"
import * as Controllers from "./Controllers.ts"
import { type Decoders, decoderFor } from "./Decoding.ts"
import * as Faults from "./Faults.ts"
import { type JsonObject, objectFromUnknown } from "./Json.ts"
import { collectionOf } from "./Kind.ts"
import { allRules, type Rules } from "./Rules.ts"
import { type Change, keyOf, make as makeStore } from "./Store.ts"
import * as Watches from "./Watches.ts"
import { viewOf } from "./View.ts"
import { type Caller, create } from "./Writes.ts"

export interface Options {
  readonly customResourceDefinitions?: ReadonlyArray<CustomResourceDefinition>
  /** Changes that a watch may be behind before its version is `Expired`. */
  readonly historyMax?: number
  readonly bookmarkMillis?: number
  readonly rules?: Partial<Rules>
}

/** The whole server, for tests and the simulator. */
export interface MemoryKubernetes {
  /** The port of one client; faults and counters know it by its name. */
  readonly view: (user: string) => Kubernetes["Service"]
  readonly faults: Faults.FaultKnobs
  readonly watches: Watches.WatchKnobs
  /** Every version up to now is too old to watch from. */
  readonly expireHistory: () => void
  /** Requests so far, by `user method plural[/status]`. */
  readonly requests: () => ReadonlyMap<string, number>
  /** What is stored, past all faults. */
  readonly truth: {
    readonly get: <A extends KubernetesObject>(type: ResourceType<A>, ref: ObjectRef) => A | undefined
    readonly list: <A extends KubernetesObject>(type: ResourceType<A>) => ReadonlyArray<A>
    /** An object of a `Change`; undefined when it does not decode. */
    readonly decode: <A extends KubernetesObject>(type: ResourceType<A>, json: JsonObject) => A | undefined
    readonly version: () => number
    /** Called within the commit; returns the end of the subscription. */
    readonly subscribe: (listener: (change: Change) => void) => () => void
  }
  /** One pass of garbage collection and namespace deletion; whether anything changed. */
  readonly controllersPass: Effect.Effect<boolean>
  /** Passes after each burst of changes, for ever; the simulator forks it, with a pause of its choice. */
  readonly runControllers: (pauseMillis: number) => Effect.Effect<never>
}

export const make = (options: Options = {}): Effect.Effect<MemoryKubernetes> =>
  Effect.map(Clock.currentTimeMillis, (nowMillis) => {
    const server = newServer(options, nowMillis)
    const faults = Faults.make()
    const watches = Watches.make(server, options.bookmarkMillis ?? 60_000)
    const counts = new Map<string, number>()
    const decoders = decoderFor
    const controllersPass = Effect.map(Clock.currentTimeMillis, (now) => {
      server.store.setWriter("kube-controller-manager")
      return Controllers.pass(server, now)
    })
    return {
      view: (user) => viewOf({ server, faults, watches, decoders, counts }, user),
      faults,
      watches,
      expireHistory: server.store.forgetHistory,
      requests: () => new Map(counts),
      truth: truthOf(server, decoders),
      controllersPass,
      runControllers: (pauseMillis) =>
        Effect.flatMap(Queue.sliding<void>(1), (work) => {
          Controllers.onWork(server, () => void Queue.offerUnsafe(work, undefined))
          Queue.offerUnsafe(work, undefined)
          return Queue.take(work).pipe(
            Effect.andThen(Effect.sleep(pauseMillis)),
            Effect.andThen(Effect.repeat(controllersPass, { while: (changed) => changed })),
            Effect.forever
          )
        })
    }
  })

const newServer = (options: Options, nowMillis: number): ApiServer => {
  const rules: Rules = { ...allRules, ...options.rules }
  let last = 0
  const server: ApiServer = {
    rules,
    store: makeStore({
      historyMax: options.historyMax ?? 10_000,
      advance: () => (rules.everyWriteHasANewVersion ? 1 : 0)
    }),
    allocate: () => ++last
  }
  const caller: Caller = { user: "kube-apiserver", nowMillis }
  for (const name of ["default", "kube-system", "kube-public", "kube-node-lease"])
    Result.getOrThrow(create(server, namespaces, { metadata: { name } }, caller))
  for (const definition of options.customResourceDefinitions ?? [])
    Result.getOrThrow(create(server, customResourceDefinitions, objectFromUnknown(definition), caller))
  // As after any start: nobody can watch from before it.
  server.store.forgetHistory()
  return server
}

const truthOf = (server: ApiServer, decoders: Decoders): MemoryKubernetes["truth"] => ({
  get: (type, ref) => {
    const stored = server.store.get(collectionOf(type), keyOf(type.namespaced ? ref.namespace : undefined, ref.name))
    return stored === undefined ? undefined : Result.getOrUndefined(decoders(type)(stored.object))
  },
  list: (type) =>
    server.store.entries(collectionOf(type)).flatMap(({ object }) => {
      const decoded = decoders(type)(object)
      return Result.isSuccess(decoded) ? [decoded.success] : []
    }),
  decode: (type, json) => Result.getOrUndefined(decoders(type)(json)),
  version: server.store.version,
  subscribe: server.store.subscribe
})
