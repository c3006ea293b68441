/** Where a Service has ready endpoints: with externalTrafficPolicy Local, the nodes that may hold its address. */
import { Schema } from "effect"
import { objectFields, type ResourceType } from "./KubernetesObject.ts"

/** Label that names the Service of a slice. */
export const serviceNameLabel = "kubernetes.io/service-name"

export const Endpoint = Schema.Struct({
  addresses: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Absent `ready` means ready (API convention of EndpointSlice). */
  conditions: Schema.optionalKey(
    Schema.Struct({
      ready: Schema.optionalKey(Schema.Boolean),
      serving: Schema.optionalKey(Schema.Boolean),
      terminating: Schema.optionalKey(Schema.Boolean)
    })
  ),
  nodeName: Schema.optionalKey(Schema.String),
  zone: Schema.optionalKey(Schema.String)
})
export type Endpoint = typeof Endpoint.Type

export const EndpointSlice = Schema.Struct({
  ...objectFields,
  addressType: Schema.String,
  /** A slice without endpoints may say null. */
  endpoints: Schema.optionalKey(Schema.NullOr(Schema.Array(Endpoint)))
})
export type EndpointSlice = typeof EndpointSlice.Type

export const endpointSlices: ResourceType<EndpointSlice> = {
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  namespaced: true,
  schema: EndpointSlice
}
