/**
 * What one Service has been given: same name and namespace, owned by the Service. The controller writes `spec`, `state`,
 * `message` and `conditions`, each operator only its own entries of `status.addresses`; both by server-side apply.
 */
import { Schema } from "effect"
import { field, ipv4, ipv6 } from "./Admission.ts"
import { Conditions } from "./Condition.ts"
import { type KubernetesObject, objectFields, type ResourceType, StringMap } from "./KubernetesObject.ts"
import { group } from "../domain/Annotations.ts"
import { ENTRIES_MAX } from "../domain/Hold.ts"
import { version } from "./Names.ts"

const name = (description: string, since?: "1.0") =>
  Schema.String.annotate(field({ description, ...(since === undefined ? {} : { since }), bounds: { maxLength: 253 } }))

const epoch = Schema.Int.annotate(
  field({
    description: "Counts the holders of this address within this IPAllocation (UID). It never falls.",
    since: "1.0",
    bounds: { minimum: 0 }
  })
)
const holdId = name("Hold id of the node: the registration of its operator under which it holds.", "1.0")

export const PreviousHolder = Schema.Struct({ node: name("Name of the node."), holdId, epoch })
export type PreviousHolder = typeof PreviousHolder.Type

export const Allocation = Schema.Struct({
  address: Schema.String.annotate(
    field({
      description: "The address; empty while none could be bought.",
      bounds: { maxLength: 64 },
      rules: [
        {
          rule: `self.matches('^(${ipv4}|${ipv6})?$')`,
          message: "write one address, 192.0.2.10 or 2001:db8::10, or an empty text while there is none"
        }
      ]
    })
  ),
  pool: name("Name of the pool that the address is from."),
  nodeName: Schema.optionalKey(name("Node that holds the address, or is to hold it.")),
  networkInterface: Schema.optionalKey(
    name("Interface that the address is put on. Absent when the pool adds addresses to none.")
  ),
  cloudProvider: Schema.optionalKey(name("Cloud that routes the address, such as hetzner.")),
  cloudId: Schema.optionalKey(name("Id of the address in that cloud.", "1.0")),
  family: Schema.optionalKey(
    Schema.Literals(["IPv4", "IPv6"]).annotate(
      field({ description: "Of the address that is to be bought, while there is none.", since: "1.0" })
    )
  ),
  holdId: Schema.optionalKey(holdId),
  epoch: Schema.optionalKey(epoch),
  probe: Schema.optionalKey(
    Schema.Boolean.annotate(
      field({
        description:
          "Nobody has served it for this Service yet: before its holder uses it, it asks the network whether another " +
          "machine has it.",
        since: "1.0"
      })
    )
  ),
  served: Schema.optionalKey(
    Schema.Boolean.annotate(
      field({
        description:
          "An earlier holder has served it for this Service: the next one need not ask first whether another " +
          "IPAllocation claims it, too.",
        since: "1.0"
      })
    )
  ),
  previous: Schema.optionalKey(
    Schema.Array(PreviousHolder).annotate(
      field({
        description:
          "Earlier holders that have not yet said that they let go; the next one waits for each. " +
          "Of an address of a cloud: they serve on until the cloud routes it to the next one.",
        since: "1.0",
        listType: "atomic",
        bounds: { maxItems: 64 }
      })
    )
  )
})
export type Allocation = typeof Allocation.Type

export const IPAllocationSpec = Schema.Struct({
  type: Schema.Literals(["ephemeral", "persistent"]).annotate(
    field({ description: "Kind of pool: ephemeral addresses go with the Service, persistent ones stay the user's." })
  ),
  allocations: Schema.Array(Allocation).annotate(
    field({
      description: "The addresses granted, and who holds each.",
      default: [],
      listType: "atomic",
      bounds: { maxItems: ENTRIES_MAX }
    })
  ),
  addressList: Schema.optionalKey(
    Schema.String.annotate(
      field({ description: "The addresses in one text, for the column.", since: "1.0", bounds: { maxLength: 16384 } })
    )
  ),
  nodeList: Schema.optionalKey(
    Schema.String.annotate(
      field({ description: "Their nodes in one text, for the column.", since: "1.0", bounds: { maxLength: 65536 } })
    )
  )
}).annotate(field({ description: "Written by the controller alone." }))
export type IPAllocationSpec = typeof IPAllocationSpec.Type

export const AddressStatus = Schema.Struct({
  address: Schema.String.annotate(field({ description: "The address.", bounds: { minLength: 1, maxLength: 64 } })),
  node: Schema.String.annotate(
    field({ description: "The node that reports.", bounds: { minLength: 1, maxLength: 253 } })
  ),
  holdId: Schema.optionalKey(holdId),
  epoch: Schema.optionalKey(epoch),
  interface: Schema.optionalKey(name("Interface that carries the address.")),
  phase: Schema.Literals(["Serving", "Released", "InUse"]).annotate(
    field({
      description:
        "Serving: on the node and announced. Released: the node has let go of it. InUse: a machine that is none of the " +
        "cluster's answers for it, so the node leaves it alone and asks again."
    })
  ),
  mac: Schema.optionalKey(
    Schema.String.annotate(
      field({ description: "Of InUse: the hardware address of that machine.", since: "1.0", bounds: { maxLength: 64 } })
    )
  ),
  since: Schema.optionalKey(
    Schema.String.annotate(field({ description: "When the phase began.", format: "date-time" }))
  )
})
export type AddressStatus = typeof AddressStatus.Type

export const IPAllocationStatus = Schema.Struct({
  state: Schema.optionalKey(
    Schema.Literals(["pending", "success", "error", "failed", "node_error", "address_deleted_from_pool"]).annotate(
      field({
        description:
          "pending: waits. success: served. error: tried again. failed: written by v0.4 only, read as error. " +
          "node_error: the node cannot hold the address. address_deleted_from_pool: the pool no longer has it."
      })
    )
  ),
  message: Schema.optionalKey(
    Schema.String.annotate(field({ description: "The state in a sentence.", bounds: { maxLength: 32768 } }))
  ),
  addresses: Schema.optionalKey(
    Schema.Array(AddressStatus).annotate(
      field({
        description: "What each node says of each address. An operator writes its own entries only.",
        since: "1.0",
        listKeys: ["address", "node"],
        bounds: { maxItems: 1024 }
      })
    )
  ),
  conditions: Schema.optionalKey(Conditions)
}).annotate(field({ description: "How far it is." }))
export type IPAllocationStatus = typeof IPAllocationStatus.Type

export const IPAllocation = Schema.Struct({
  ...objectFields,
  spec: IPAllocationSpec,
  status: Schema.optionalKey(IPAllocationStatus)
}).annotate(
  field({
    description: "The addresses that the Service of the same name and namespace has been given. Written by PlenusLB."
  })
)
export type IPAllocation = typeof IPAllocation.Type

export const ipAllocations: ResourceType<IPAllocation> = {
  group,
  version,
  kind: "IPAllocation",
  plural: "ipallocations",
  namespaced: true,
  schema: IPAllocation
}

/** The same objects, read for their labels only: also those whose spec this version cannot read, and all of them at little cost. */
export const ipAllocationLabels: ResourceType<KubernetesObject> = {
  ...ipAllocations,
  schema: Schema.Struct({
    metadata: Schema.Struct({
      name: Schema.String,
      namespace: Schema.optionalKey(Schema.String),
      uid: Schema.optionalKey(Schema.String),
      labels: Schema.optionalKey(StringMap)
    })
  })
}
