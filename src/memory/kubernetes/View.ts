/** The port of one client: each method is one exchange with the server, with the faults that befall it. */
import { Array, Cause, Channel, Effect, Queue, Result, Scope, Stream } from "effect"
import type { KubernetesObject, ObjectRef, ResourceType } from "../../api/KubernetesObject.ts"
import type { Selection, WatchEvent } from "../../ports/Kubernetes.ts"
import { Kubernetes, KubernetesError, Malformed, type Reason, ReplyLost, Unavailable } from "../../ports/Kubernetes.ts"
import type { ApiServer, Outcome } from "./ApiServer.ts"
import { kindOf } from "./ApiServer.ts"
import type { Decode, Decoders } from "./Decoding.ts"
import { remove } from "./Deletion.ts"
import type { ApiRequest, Fault, Faults } from "./Faults.ts"
import { objectFromUnknown } from "./Json.ts"
import type { Kind } from "./Kind.ts"
import { list } from "./Reads.ts"
import type { RawEvent, Watches } from "./Watches.ts"
import { apply, type Caller, create, find, patch, replace } from "./Writes.ts"

export interface Parts {
  readonly server: ApiServer
  readonly faults: Faults
  readonly watches: Watches
  readonly decoders: Decoders
  readonly counts: Map<string, number>
}

export const viewOf = (parts: Parts, user: string): Kubernetes["Service"] => {
  const { server, decoders } = parts
  const ask = askerOf(parts, user)
  const object = <A extends KubernetesObject>(
    type: ResourceType<A>,
    call: Call,
    act: (kind: Kind, caller: Caller) => Outcome
  ): Effect.Effect<A, KubernetesError> =>
    ask(type, call, (kind, caller) =>
      Result.flatMap(act(kind, caller), (json) =>
        Result.mapError(decoders(type)(json), ({ message }): Reason => new Malformed({ message }))
      )
    )
  return Kubernetes.of({
    get: (type, ref) =>
      object(type, { method: "get", ref }, (kind) => Result.map(find(server, kind, ref), (stored) => stored.object)),
    list: (type, selection) =>
      ask(type, { method: "list", ref: { namespace: selection.namespace }, selection }, (kind) =>
        Result.map(list(server, kind, selection), (items) => {
          const [undecodable, decoded] = partition(items.map(decoders(type)))
          return { items: decoded, undecodable, resourceVersion: String(server.store.version()) }
        })
      ),
    watch: (type, selection, resourceVersion) => watchOf(parts, user, type, selection, resourceVersion),
    create: (type, written) =>
      object(type, { method: "create", ref: written.metadata }, (kind, caller) =>
        create(server, kind, objectFromUnknown(written), caller)
      ),
    replace: (type, written) =>
      object(type, { method: "replace", ref: written.metadata }, (kind, caller) =>
        replace(server, kind, objectFromUnknown(written), caller)
      ),
    patch: (type, ref, body, options) =>
      object(type, { method: "patch", ref, subresource: options?.subresource }, (kind, caller) =>
        patch(server, kind, ref, objectFromUnknown(body), options?.subresource ?? "", caller)
      ),
    apply: (type, written, options) =>
      object(type, { method: "apply", ref: written.metadata, subresource: options.subresource }, (kind, caller) =>
        apply(server, kind, objectFromUnknown(written), options, caller)
      ),
    delete: (type, ref, options) =>
      ask(type, { method: "delete", ref }, (kind, caller) => remove(server, kind, ref, options ?? {}, caller.nowMillis))
  })
}

interface Call {
  readonly method: KubernetesError["method"]
  readonly ref: Partial<ObjectRef>
  readonly subresource?: "status" | undefined
  readonly selection?: Selection
}

const partition = <A, E>(results: ReadonlyArray<Result.Result<A, E>>): [ReadonlyArray<E>, ReadonlyArray<A>] => {
  const failures: Array<E> = []
  const successes: Array<A> = []
  for (const result of results)
    if (Result.isSuccess(result)) successes.push(result.success)
    else failures.push(result.failure)
  return [failures, successes]
}

const requestOf = (user: string, type: ResourceType<KubernetesObject>, call: Call): ApiRequest => ({
  user,
  method: call.method,
  group: type.group,
  plural: type.plural,
  namespace: call.ref.namespace,
  name: call.ref.name,
  subresource: call.subresource,
  labelSelector: call.selection?.labelSelector
})

const count = (counts: Map<string, number>, { user, method, plural, subresource }: ApiRequest): void => {
  const key = `${user} ${method} ${plural}${subresource === undefined ? "" : "/status"}`
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

const failure =
  ({ method, plural, namespace, name }: ApiRequest) =>
  (reason: Reason): KubernetesError =>
    new KubernetesError({
      method,
      resource: [plural, namespace, name].filter((part) => part !== undefined && part !== "").join("/"),
      reason
    })

/** Fault, action, fault; the action is one step that no other fiber can enter. */
const askerOf =
  ({ server, faults, counts }: Parts, user: string) =>
  <A extends KubernetesObject, B>(
    type: ResourceType<A>,
    call: Call,
    act: (kind: Kind, caller: Caller) => Result.Result<B, Reason>
  ): Effect.Effect<B, KubernetesError> =>
    Effect.suspend(() => {
      const request = requestOf(user, type, call)
      count(counts, request)
      const acting = Effect.clockWith((clock) => {
        server.store.setWriter(user)
        const caller = { user, nowMillis: clock.currentTimeMillisUnsafe() }
        return Effect.succeed(Result.flatMap(kindOf(server, type), (kind) => act(kind, caller)))
      })
      return Effect.mapError(
        Effect.flatMap(faults.faultOf(request), (fault) =>
          Effect.flatMap(Effect.andThen(before(fault), acting), (answer) => replying(fault, request, answer))
        ),
        failure(request)
      )
    })

const before = (fault: Fault): Effect.Effect<void, Reason> => {
  const refused = fault.refuse === undefined ? Effect.void : Effect.fail(fault.refuse)
  return fault.delayMillis === undefined ? refused : Effect.andThen(Effect.sleep(fault.delayMillis), refused)
}

const replying = <A>(
  { loseReply, replyDelayMillis }: Fault,
  { method }: ApiRequest,
  answer: Result.Result<A, Reason>
): Effect.Effect<A, Reason> => {
  const reply = loseReply === true ? Effect.fail(answerLost(method)) : Effect.fromResult(answer)
  return replyDelayMillis === undefined ? reply : Effect.andThen(Effect.sleep(replyDelayMillis), reply)
}

const isWrite = (method: KubernetesError["method"]): boolean => !["get", "list", "watch"].includes(method)

const answerLost = (method: KubernetesError["method"]): Reason =>
  isWrite(method)
    ? new ReplyLost({ message: "the connection closed before the answer" })
    : new Unavailable({ message: "the connection closed before the answer" })

const watchOf = <A extends KubernetesObject>(
  { server, faults, watches, counts, decoders }: Parts,
  user: string,
  type: ResourceType<A>,
  selection: Parameters<Watches["start"]>[2],
  resourceVersion: string
): Stream.Stream<WatchEvent<A>, KubernetesError> => {
  const request = requestOf(user, type, { method: "watch", ref: { namespace: selection.namespace }, selection })
  const eventOf = decodedEvent(decoders(type))
  const failed = failure(request)
  const opened = Effect.gen(function* () {
    count(counts, request)
    yield* before(yield* faults.faultOf(request))
    const kind = yield* Effect.fromResult(kindOf(server, type))
    return yield* watches.start(request, kind, selection, resourceVersion)
  })
  // One pull for all that happens to an event on its way: this is the busiest path of a simulation.
  const pullFrom = (queue: Effect.Success<typeof opened>) =>
    Queue.take(queue).pipe(
      Effect.flatMap((event) => Effect.as(faults.delivery(request), Array.of(eventOf(event)))),
      Effect.mapError((error) => (Cause.isDone(error) ? error : failed(error)))
    )
  return Stream.fromChannel(
    Channel.fromTransform((_, scope) =>
      opened.pipe(Effect.mapBoth({ onFailure: failed, onSuccess: pullFrom }), Effect.provideService(Scope.Scope, scope))
    )
  )
}

const decodedEvent =
  <A extends KubernetesObject>(decode: Decode<A>) =>
  (event: RawEvent): WatchEvent<A> => {
    if (event.type === "Bookmark") return event
    const decoded = decode(event.object)
    return Result.isSuccess(decoded)
      ? { type: event.type, object: decoded.success }
      : { type: "Undecodable", object: decoded.failure, ...(event.type === "Deleted" && { deleted: true }) }
  }
