/** `coordination.k8s.io/v1` Lease: leadership, and one NodeLease per operator. Ours entirely, so it is written by PUT. */
import { Schema } from "effect"
import { objectFields, type ResourceType } from "./KubernetesObject.ts"

export const LeaseSpec = Schema.Struct({
  holderIdentity: Schema.optionalKey(Schema.String),
  /** Whole seconds, at least 1; fractions stand in the annotation `duration-ms`. */
  leaseDurationSeconds: Schema.optionalKey(Schema.Int),
  /** Exactly six decimals: `2026-11-24T15:00:00.000000Z`. Never compared between machines. */
  acquireTime: Schema.optionalKey(Schema.String),
  renewTime: Schema.optionalKey(Schema.String),
  leaseTransitions: Schema.optionalKey(Schema.Int)
})
export type LeaseSpec = typeof LeaseSpec.Type

export const Lease = Schema.Struct({ ...objectFields, spec: Schema.optionalKey(LeaseSpec) })
export type Lease = typeof Lease.Type

export const leases: ResourceType<Lease> = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
  schema: Lease
}
