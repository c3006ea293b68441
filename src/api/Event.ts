/** Core v1 Event: `kubectl describe` finds it by `involvedObject`, whatever the kind. */
import { Schema } from "effect"
import { objectFields, type ResourceType } from "./KubernetesObject.ts"

export const ObjectReference = Schema.Struct({
  apiVersion: Schema.optionalKey(Schema.String),
  kind: Schema.optionalKey(Schema.String),
  namespace: Schema.optionalKey(Schema.String),
  name: Schema.optionalKey(Schema.String),
  uid: Schema.optionalKey(Schema.String),
  resourceVersion: Schema.optionalKey(Schema.String)
})
export type ObjectReference = typeof ObjectReference.Type

/** An Event about a cluster-scoped object must stand in namespace `default`. */
export const Event = Schema.Struct({
  ...objectFields,
  involvedObject: ObjectReference,
  related: Schema.optionalKey(ObjectReference),
  type: Schema.optionalKey(Schema.String),
  reason: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
  count: Schema.optionalKey(Schema.Int),
  firstTimestamp: Schema.optionalKey(Schema.NullOr(Schema.String)),
  lastTimestamp: Schema.optionalKey(Schema.NullOr(Schema.String)),
  /** Others' Events carry an explicit null here. */
  eventTime: Schema.optionalKey(Schema.NullOr(Schema.String)),
  action: Schema.optionalKey(Schema.String),
  source: Schema.optionalKey(
    Schema.Struct({ component: Schema.optionalKey(Schema.String), host: Schema.optionalKey(Schema.String) })
  ),
  reportingComponent: Schema.optionalKey(Schema.String),
  reportingInstance: Schema.optionalKey(Schema.String)
})
export type Event = typeof Event.Type

export const events: ResourceType<Event> = {
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  namespaced: true,
  schema: Event
}
