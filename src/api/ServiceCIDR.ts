/** `networking.k8s.io/v1` ServiceCIDR (Kubernetes 1.33 and later): the networks that cluster IPs are taken from. */
import { Schema } from "effect"
import { objectFields, type ResourceType } from "./KubernetesObject.ts"

export const ServiceCIDR = Schema.Struct({
  ...objectFields,
  spec: Schema.optionalKey(Schema.Struct({ cidrs: Schema.optionalKey(Schema.Array(Schema.String)) }))
})
export type ServiceCIDR = typeof ServiceCIDR.Type

export const serviceCIDRs: ResourceType<ServiceCIDR> = {
  group: "networking.k8s.io",
  version: "v1",
  kind: "ServiceCIDR",
  plural: "servicecidrs",
  namespaced: false,
  schema: ServiceCIDR
}
