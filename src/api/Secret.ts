/** A cloud token, or the witnesses' key. */
import { Schema } from "effect"
import { objectFields, type ResourceType, StringMap } from "./KubernetesObject.ts"

export const Secret = Schema.Struct({
  ...objectFields,
  type: Schema.optionalKey(Schema.String),
  /** Values in base64. */
  data: Schema.optionalKey(StringMap)
})
export type Secret = typeof Secret.Type

export const secrets: ResourceType<Secret> = {
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  namespaced: true,
  schema: Secret
}
