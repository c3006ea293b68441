/** The operators' DaemonSet. The chart renders it and the controller applies it as it is: of its spec we read little. */
import { Schema } from "effect"
import { objectFields, type ResourceType, StringMap } from "./KubernetesObject.ts"

export const DaemonSet = Schema.Struct({
  ...objectFields,
  spec: Schema.optionalKey(
    Schema.Struct({
      selector: Schema.optionalKey(Schema.Struct({ matchLabels: Schema.optionalKey(StringMap) })),
      template: Schema.optionalKey(Schema.Json),
      updateStrategy: Schema.optionalKey(Schema.Json)
    })
  ),
  status: Schema.optionalKey(
    Schema.Struct({
      observedGeneration: Schema.optionalKey(Schema.Int),
      desiredNumberScheduled: Schema.optionalKey(Schema.Int),
      currentNumberScheduled: Schema.optionalKey(Schema.Int),
      updatedNumberScheduled: Schema.optionalKey(Schema.Int),
      numberReady: Schema.optionalKey(Schema.Int),
      numberAvailable: Schema.optionalKey(Schema.Int),
      numberUnavailable: Schema.optionalKey(Schema.Int)
    })
  )
})
export type DaemonSet = typeof DaemonSet.Type

export const daemonSets: ResourceType<DaemonSet> = {
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  plural: "daemonsets",
  namespaced: true,
  schema: DaemonSet
}
