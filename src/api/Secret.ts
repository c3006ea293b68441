/** Of a Secret, what a token is read from. It is read when it is needed and never kept in a cache. */
import { Schema } from "effect"
import { objectFields, type ResourceType, StringMap } from "./KubernetesObject.ts"

/** Values in base64 (RFC 4648). */
export const Secret = Schema.Struct({ ...objectFields, data: Schema.optionalKey(StringMap) })
export type Secret = typeof Secret.Type

export const secrets: ResourceType<Secret> = {
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  namespaced: true,
  schema: Secret
}
