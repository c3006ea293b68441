/** `plenuslb-node-config` (what operators may know of pools) and the chart's template of the DaemonSet. */
import { Schema } from "effect"
import { objectFields, type ResourceType, StringMap } from "./KubernetesObject.ts"

export const ConfigMap = Schema.Struct({ ...objectFields, data: Schema.optionalKey(StringMap) })
export type ConfigMap = typeof ConfigMap.Type

export const configMaps: ResourceType<ConfigMap> = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  namespaced: true,
  schema: ConfigMap
}
