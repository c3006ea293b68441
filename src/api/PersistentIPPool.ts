/** Addresses that the user owns: of a network of theirs, or bought by them in a cloud. */
import { Schema } from "effect"
import { field, ipv4, ipv6 } from "./Admission.ts"
import { objectFields, type ResourceType } from "./KubernetesObject.ts"
import { group } from "../domain/Annotations.ts"
import { version } from "./Names.ts"
import { optionalCloud, poolFields } from "./PoolOptions.ts"
import { PoolStatus } from "./PoolStatus.ts"

/** Octet by octet. CEL has no variables, and a `split` of a `split` is charged as if it were unbounded: hence `substring`. */
const number = (text: string) =>
  [16777216, 65536, 256, 1].map((weight, index) => `int(${text}.split('.')[${index}]) * ${weight}`).join(" + ")
const before = (mark: string) => `self.substring(0, self.indexOf('${mark}'))`
const after = (mark: string) => `self.substring(self.indexOf('${mark}') + 1)`
const blockSizes = Array.from({ length: 33 }, (_, bits) => 2 ** (32 - bits)).join(", ")

const form = `^(${ipv4}(/(3[0-2]|[12]?[0-9])|-${ipv4})?|(${ipv6})(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)$`

/** Each rule passes what it is not about, so that a mistake is told once. */
const addressRules = [
  {
    rule: `self.matches('${form}')`,
    message:
      "write an address (192.0.2.10 or 2001:db8::10), a CIDR (192.0.2.16/28 or 2001:db8::/120) or an IPv4 range " +
      "(192.0.2.40-192.0.2.49); IPv6 ranges only as CIDR"
  },
  {
    rule: `!self.matches('^${ipv4}-${ipv4}$') || ${number(before("-"))} <= ${number(after("-"))}`,
    message: "the range ends before it starts: write the lower address first, as in 192.0.2.40-192.0.2.49"
  },
  {
    rule:
      `!self.matches('^${ipv4}/(3[0-2]|[12]?[0-9])$') || ` +
      `(${number(before("/"))}) % [${blockSizes}][int(${after("/")})] == 0`,
    message:
      "the CIDR has bits set behind its prefix: write its first address, as in 192.0.2.16/28, or /32 for one address"
  },
  {
    rule:
      "!self.matches('^(0|127|22[4-9]|23[0-9]|169[.]254|255[.]255[.]255[.]255)([.]|$)|^::1?(/[0-9]+)?$|" +
      "^[fF][eE][89abAB][0-9a-fA-F]:|^[fF][fF][0-9a-fA-F]{2}:')",
    message:
      "loopback, link-local, multicast and unspecified addresses cannot be served: write addresses of your network"
  }
]

export const PersistentIPPoolSpec = Schema.Struct({
  addresses: Schema.Array(
    Schema.String.annotate(
      field({
        description: "An address, a CIDR, or an IPv4 range.",
        bounds: { maxLength: 64 },
        rules: addressRules
      })
    )
  ).annotate(
    field({
      description:
        "The addresses of the pool: single ones, CIDRs (192.0.2.16/28, 2001:db8::/120) and IPv4 ranges " +
        "(192.0.2.40-192.0.2.49). Removing one that is in use takes it from its Service.",
      listType: "atomic",
      bounds: { maxItems: 1024 },
      rules: [
        {
          rule: "size(self) > 0",
          message: "the list is empty: write at least one address; disabled: true stops a pool from granting more"
        }
      ]
    })
  ),
  autoAssign: Schema.optionalKey(
    Schema.Boolean.annotate(
      field({
        description: "Also serve Services that ask for no particular address. What bare metal wants.",
        since: "1.0",
        default: false
      })
    )
  ),
  avoidBuggyIPs: Schema.optionalKey(
    Schema.Boolean.annotate(
      field({
        description: "Do not choose IPv4 addresses that end in .0 or .255, which some devices refuse to talk to.",
        since: "1.0",
        default: false
      })
    )
  ),
  ...poolFields,
  cloudIntegration: optionalCloud
}).annotate(
  field({
    description: "Which addresses there are, who may have them, and where they are held.",
    rules: [
      {
        rule:
          "has(self.cloudIntegration) || !has(self.options) || !has(self.options.onControlPlaneLoss) || " +
          "self.options.onControlPlaneLoss != 'keep'",
        message:
          "onControlPlaneLoss keep could leave an address on two nodes where no cloud routes it: write auto or release"
      }
    ]
  })
)
export type PersistentIPPoolSpec = typeof PersistentIPPoolSpec.Type

export const PersistentIPPool = Schema.Struct({
  ...objectFields,
  spec: PersistentIPPoolSpec,
  status: Schema.optionalKey(PoolStatus)
}).annotate(
  field({ description: "A pool of addresses that the user owns. A Service asks for one by name, or gets any." })
)
export type PersistentIPPool = typeof PersistentIPPool.Type

export const persistentIPPools: ResourceType<PersistentIPPool> = {
  group,
  version,
  kind: "PersistentIPPool",
  plural: "persistentippools",
  namespaced: false,
  schema: PersistentIPPool
}
