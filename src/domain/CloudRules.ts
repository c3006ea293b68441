/** What a pool says about the cloud of its addresses, defaults applied; its credentials are not among it. */
import type { Address } from "./Address.ts"
import * as FloatingAddress from "./FloatingAddress.ts"

export interface CloudRules {
  readonly provider: "hetzner"
  readonly localityPolicy: "preferred" | "sameZone" | "sameLocation"
  readonly handover: "direct" | "unassignFirst"
  /** Host part of the address that is used in a network that is bought or routed as a whole (IPv6). */
  readonly ipv6Suffix: Address
  /** How long a Node must be NotReady before an address that no operator holds is routed elsewhere. */
  readonly nodeGraceMillis: number
  /** How many addresses may be bought at once; undefined: as many as the provider sells. */
  readonly maxAddresses: number | undefined
  /** Where addresses are bought; undefined: where the node is that is to hold the first. */
  readonly homeLocation: string | undefined
}

/** As in the custom resource. */
export interface Written {
  readonly hetzner?:
    | {
        readonly localityPolicy?: CloudRules["localityPolicy"] | undefined
        readonly handover?: CloudRules["handover"] | undefined
        readonly ipv6Suffix?: string | undefined
        readonly nodeGracePeriod?: string | undefined
      }
    | undefined
}

const secondsOf: { readonly [unit: string]: number } = { h: 3600, m: 60, s: 1 }

/** `1m30s`; what admission let pass and cannot be read counts as nothing. */
const millisOf = (duration: string): number =>
  [...duration.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, count = "0", unit = "s"]) => sum + Number(count) * (secondsOf[unit] ?? 0) * 1_000,
    0
  )

export const make = (
  { hetzner = {} }: Written,
  buying: { readonly maxAddresses?: number | undefined; readonly homeLocation?: string | undefined }
): CloudRules => ({
  provider: "hetzner",
  localityPolicy: hetzner.localityPolicy ?? "preferred",
  handover: hetzner.handover ?? "direct",
  ipv6Suffix: FloatingAddress.suffixOf(hetzner.ipv6Suffix ?? "::1"),
  nodeGraceMillis: millisOf(hetzner.nodeGracePeriod ?? "40s"),
  maxAddresses: buying.maxAddresses,
  homeLocation: buying.homeLocation
})
