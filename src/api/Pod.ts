/** An operator's own Pod: marked for deletion means an upgrade, so it hands over instead of letting go. */
import { Schema } from "effect"
import { objectFields, type ResourceType } from "./KubernetesObject.ts"

export const Pod = Schema.Struct({
  ...objectFields,
  spec: Schema.optionalKey(Schema.Struct({ nodeName: Schema.optionalKey(Schema.String) })),
  status: Schema.optionalKey(
    Schema.Struct({
      phase: Schema.optionalKey(Schema.String),
      podIP: Schema.optionalKey(Schema.String),
      hostIP: Schema.optionalKey(Schema.String),
      conditions: Schema.optionalKey(Schema.Array(Schema.Struct({ type: Schema.String, status: Schema.String })))
    })
  )
})
export type Pod = typeof Pod.Type

export const pods: ResourceType<Pod> = {
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  namespaced: true,
  schema: Pod
}
