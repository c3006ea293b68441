/**
 * The port over a real API server. What a request looks like is here; credentials, deadline and bound are in
 * `ApiClient.ts`, the reading of failures in `errors.ts`, connections in `HttpTransport.ts`.
 *
 * Each `layer(…)` has connections of its own. A request that is asked again because nothing was heard (the renewal of the
 * node's Lease) takes one for itself, so that no queue of other requests and none of their dead connections can delay it.
 */
import { Effect, Layer, Result, Stream } from "effect"
import type { KubernetesObject, ObjectRef, ResourceType } from "../../api/KubernetesObject.ts"
import {
  type ApplyOptions,
  type DeleteOptions,
  Kubernetes,
  KubernetesError,
  Malformed,
  type Reason,
  type Selection
} from "../../ports/Kubernetes.ts"
import * as ApiClient from "./ApiClient.ts"
import * as ApiPath from "./ApiPath.ts"
import type { ClusterAccess } from "./ClusterAccess.ts"
import { decoderOf, kindOf, withKind } from "./Decoding.ts"
import type { Method } from "./errors.ts"
import * as HttpTransport from "./HttpTransport.ts"
import { list } from "./list.ts"
import { watch } from "./watch.ts"

export const layer = (options?: ApiClient.ApiClientOptions): Layer.Layer<Kubernetes, never, ClusterAccess> =>
  Layer.provide(layerNoTransport(options), Layer.fresh(HttpTransport.layer))

/** Over a transport of the caller's: tests give a client without a network. */
export const layerNoTransport = (
  options?: ApiClient.ApiClientOptions
): Layer.Layer<Kubernetes, never, ClusterAccess | HttpTransport.HttpTransport> =>
  Layer.effect(Kubernetes, Effect.map(ApiClient.make(options), make))

const make = (api: ApiClient.ApiClient): Kubernetes["Service"] => {
  const one = exchangeOne(api)
  return Kubernetes.of({
    get: (type, ref, { isFresh } = {}) =>
      one(type, { method: "get", verb: "GET", path: ApiPath.object(type, ref), isFresh }, ref),
    list: (type, selection) =>
      list(api, type, selection).pipe(Effect.mapError(failure("list", type, inNamespace(selection)))),
    watch: (type, selection, resourceVersion) =>
      watch(api, type, selection, resourceVersion).pipe(
        Stream.mapError(failure("watch", type, inNamespace(selection)))
      ),
    create: (type, object) => {
      const path = ApiPath.collection(type, object.metadata.namespace)
      return one(type, { method: "create", verb: "POST", path, body: withKind(object, kindOf(type)) }, object.metadata)
    },
    replace: (type, object, { isFresh } = {}) => {
      const path = ApiPath.object(type, object.metadata)
      const body = withKind(object, kindOf(type))
      return one(type, { method: "replace", verb: "PUT", path, body, isFresh }, object.metadata)
    },
    patch: (type, ref, mergePatch, options) => one(type, patchCall(type, ref, mergePatch, options?.subresource), ref),
    apply: (type, object, options) => one(type, applyCall(type, object, options), object.metadata),
    delete: (type, ref, options) =>
      api.exchange(deleteCall(type, ref, options)).pipe(Effect.asVoid, Effect.mapError(failure("delete", type, ref)))
  })
}

/** A call whose reply is the object. */
const exchangeOne =
  (api: ApiClient.ApiClient) =>
  <A extends KubernetesObject>(type: ResourceType<A>, call: ApiClient.Call, ref: ObjectRef) =>
    api.exchange(call).pipe(
      Effect.flatMap((json) =>
        Result.match(decoderOf(type)(json), {
          onSuccess: (object) => Effect.succeed(object),
          onFailure: ({ message }) => Effect.fail<Reason>(new Malformed({ message }))
        })
      ),
      Effect.mapError(failure(call.method, type, ref))
    )

const failure =
  (method: Method, type: ResourceType<KubernetesObject>, ref?: Partial<ObjectRef>) =>
  (reason: Reason): KubernetesError =>
    new KubernetesError({ method, resource: ApiPath.describe(type, ref), reason })

const inNamespace = (selection: Selection): Partial<ObjectRef> => ({ namespace: selection.namespace })

const patchCall = (
  type: ResourceType<KubernetesObject>,
  ref: ObjectRef,
  body: { readonly [key: string]: unknown },
  subresource: "status" | undefined
): ApiClient.Call => ({
  method: "patch",
  verb: "PATCH",
  path: ApiPath.object(type, ref, subresource),
  body,
  contentType: "application/merge-patch+json"
})

/** The content type promises YAML, of which JSON is a part; `apply-patch+json` is answered with 415 (measured, 1.36). */
const applyCall = (
  type: ResourceType<KubernetesObject>,
  object: KubernetesObject,
  { fieldManager, force, subresource }: ApplyOptions
): ApiClient.Call => ({
  method: "apply",
  verb: "PATCH",
  path: ApiPath.object(type, object.metadata, subresource),
  query: { fieldManager, ...(force === true && { force: "true" }) },
  body: withKind(object, kindOf(type)),
  contentType: "application/apply-patch+yaml"
})

const deleteCall = (
  type: ResourceType<KubernetesObject>,
  ref: ObjectRef,
  { uid, resourceVersion, propagation }: DeleteOptions = {}
): ApiClient.Call => ({
  method: "delete",
  verb: "DELETE",
  path: ApiPath.object(type, ref),
  body: {
    apiVersion: "v1",
    kind: "DeleteOptions",
    propagationPolicy: propagation ?? "Background",
    ...((uid !== undefined || resourceVersion !== undefined) && { preconditions: { uid, resourceVersion } })
  }
})
