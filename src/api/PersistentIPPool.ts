/** Addresses that the user owns: of a network of theirs, or bought by them in a cloud. */
import { Schema } from "effect"
import { field, ipv4, ipv6 } from "./Admission.ts"
import { objectFields, type ResourceType } from "./KubernetesObject.ts"
import { group, version } from "./Names.ts"
import { optionalCloud, poolFields } from "./PoolOptions.ts"
import { PoolStatus } from "./PoolStatus.ts"

/** `list` holds the four octets as strings. */
const number = (list: string) =>
  `int(${list}[0]) * 16777216 + int(${list}[1]) * 65536 + int(${list}[2]) * 256 + int(${list}[3])`

const form = `^(${ipv4}(/(3[0-2]|[12]?[0-9])|-${ipv4})?|(${ipv6})(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)$`

/** A list of one element and `all` stand for the variable binding that CEL lacks. Each rule passes what it is not about. */
const addressRules = [
  {
    rule: `self.matches('${form}')`,
    message:
      "write an address (192.0.2.10 or 2001:db8::10), a CIDR (192.0.2.16/28 or 2001:db8::/120) or an IPv4 range " +
      "(192.0.2.40-192.0.2.49); IPv6 ranges only as CIDR"
  },
  {
    rule:
      `!self.matches('^${ipv4}-${ipv4}$') || [self.split('-')].all(r, [r[0].split('.')].all(a, ` +
      `[r[1].split('.')].all(b, ${number("a")} <= ${number("b")})))`,
    message: "the range ends before it starts: write the lower address first, as in 192.0.2.40-192.0.2.49"
  },
  {
    rule:
      `!self.matches('^${ipv4}/(3[0-2]|[12]?[0-9])$') || [self.split('/')].all(c, [c[0].split('.')].all(a, ` +
      `(${number("a")}) % [${Array.from({ length: 33 }, (_, bits) => 2 ** (32 - bits)).join(", ")}][int(c[1])] == 0))`,
    message:
      "the CIDR has bits set behind its prefix: write its first address, as in 192.0.2.16/28, or /32 for one address"
  },
  {
    rule:
      "!self.matches('^(0|127|22[4-9]|23[0-9]|24[0-9]|25[0-5])[.]|^169[.]254[.]|^::1?(/[0-9]+)?$|" +
      "^[fF]([eE][89abAB]|[fF])[0-9a-fA-F]*:')",
    message: "loopback, link-local, multicast and reserved addresses cannot be served: write addresses of your network"
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
      bounds: { minItems: 1, maxItems: 1024 }
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
