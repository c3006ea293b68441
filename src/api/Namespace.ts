/** Its labels decide which pools serve it; the uid of `kube-system` is the identity of the cluster. */
import { Schema } from "effect"
import { objectFields, type ResourceType } from "./KubernetesObject.ts"

export const Namespace = Schema.Struct({
  ...objectFields,
  status: Schema.optionalKey(Schema.Struct({ phase: Schema.optionalKey(Schema.String) }))
})
export type Namespace = typeof Namespace.Type

export const namespaces: ResourceType<Namespace> = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  namespaced: false,
  schema: Namespace
}
