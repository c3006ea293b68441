/** Of our own Pods: where one is, and why it does not run. */
import { Schema } from "effect"
import { objectFields, type ResourceType } from "./KubernetesObject.ts"

const text = Schema.optionalKey(Schema.String)

const ContainerState = Schema.Struct({
  running: Schema.optionalKey(Schema.Struct({ startedAt: text })),
  waiting: Schema.optionalKey(Schema.Struct({ reason: text, message: text })),
  terminated: Schema.optionalKey(Schema.Struct({ exitCode: Schema.Int, reason: text, message: text }))
})

export const ContainerStatus = Schema.Struct({
  ready: Schema.Boolean,
  state: Schema.optionalKey(ContainerState),
  lastState: Schema.optionalKey(ContainerState)
})
export type ContainerStatus = typeof ContainerStatus.Type

export const Pod = Schema.Struct({
  ...objectFields,
  spec: Schema.optionalKey(Schema.Struct({ nodeName: Schema.optionalKey(Schema.String) })),
  status: Schema.optionalKey(
    Schema.Struct({
      phase: Schema.optionalKey(Schema.String),
      podIP: Schema.optionalKey(Schema.String),
      hostIP: Schema.optionalKey(Schema.String),
      conditions: Schema.optionalKey(
        Schema.Array(Schema.Struct({ type: Schema.String, status: Schema.String, message: text }))
      ),
      containerStatuses: Schema.optionalKey(Schema.Array(ContainerStatus))
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
