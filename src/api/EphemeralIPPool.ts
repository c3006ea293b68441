/** Addresses that are bought in a cloud when a Service needs one, and given back when it no longer does. */
import { Schema } from "effect"
import { field } from "./Admission.ts"
import { objectFields, type ResourceType } from "./KubernetesObject.ts"
import { group } from "../domain/Annotations.ts"
import { version } from "./Names.ts"
import { poolFields, requiredCloud } from "./PoolOptions.ts"
import { PoolStatus } from "./PoolStatus.ts"

export const EphemeralIPPoolSpec = Schema.Struct({
  ...poolFields,
  cloudIntegration: requiredCloud,
  maxAddresses: Schema.optionalKey(
    Schema.Int.annotate(
      field({
        description: "How many addresses may exist at once: a cap on what is spent.",
        absent: "no cap but the provider's",
        since: "1.0",
        bounds: { maximum: 1_000_000 },
        rules: [
          {
            rule: "self >= 1",
            message: "write how many addresses may be bought, 1 or more; disabled: true stops new ones"
          }
        ]
      })
    )
  ),
  homeLocation: Schema.optionalKey(
    Schema.String.annotate(
      field({
        description: "Location in which addresses are bought.",
        absent: "that of the node which first holds the address",
        since: "1.0",
        bounds: { maxLength: 64 },
        rules: [{ rule: "self.matches('^[a-z][a-z0-9-]*$')", message: "write a location of the cloud, such as nbg1" }]
      })
    )
  )
}).annotate(field({ description: "Who may have addresses, in which cloud they are bought, and where they are held." }))
export type EphemeralIPPoolSpec = typeof EphemeralIPPoolSpec.Type

export const EphemeralIPPool = Schema.Struct({
  ...objectFields,
  spec: EphemeralIPPoolSpec,
  status: Schema.optionalKey(PoolStatus)
}).annotate(
  field({
    description: "Buys an address in a cloud for each Service that asks for none, and gives it back with the Service."
  })
)
export type EphemeralIPPool = typeof EphemeralIPPool.Type

export const ephemeralIPPools: ResourceType<EphemeralIPPool> = {
  group,
  version,
  kind: "EphemeralIPPool",
  plural: "ephemeralippools",
  namespaced: false,
  schema: EphemeralIPPool
}
