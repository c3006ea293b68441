/** What both kinds of pool report. v0.4 has no status on pools: everything is optional. */
import { Schema } from "effect"
import { field } from "./Admission.ts"
import { Conditions } from "./Condition.ts"

const count = (description: string) => Schema.Int.annotate(field({ description, since: "1.0", bounds: { minimum: 0 } }))

const counters = {
  addressesTotal: count("Addresses that the pool has. Counters stop at 9007199254740991."),
  addressesInUse: count("Addresses that are granted to a Service."),
  addressesAvailable: count("Addresses that can still be granted.")
}

export const FamilyCount = Schema.Struct({
  family: Schema.Literals(["IPv4", "IPv6"]).annotate(field({ description: "IPv4 or IPv6." })),
  ...counters
})
export type FamilyCount = typeof FamilyCount.Type

export const PoolStatus = Schema.Struct({
  observedGeneration: Schema.optionalKey(count("The `metadata.generation` that the status was computed from.")),
  addressesTotal: Schema.optionalKey(counters.addressesTotal),
  addressesInUse: Schema.optionalKey(counters.addressesInUse),
  addressesAvailable: Schema.optionalKey(counters.addressesAvailable),
  families: Schema.optionalKey(
    Schema.Array(FamilyCount).annotate(
      field({
        description: "The same counters for each family that the pool has addresses of.",
        since: "1.0",
        listKeys: ["family"],
        bounds: { maxItems: 2 }
      })
    )
  ),
  conditions: Schema.optionalKey(Conditions)
}).annotate(field({ description: "What the controller found.", since: "1.0" }))
export type PoolStatus = typeof PoolStatus.Type
