/** What the provider has, in the words of the invariants: whose a floating IP is, by its labels, and what claims it. */
import type { Allocation, IPAllocation } from "../api/IPAllocation.ts"
import type { CloudAddressTruth, GroundTruth } from "./GroundTruth.ts"

/** UID of the IPAllocation for which it was bought; undefined: it is the user's. */
export const boughtFor = ({ labels }: CloudAddressTruth): string | undefined =>
  labels["managed-by"] === "plenuslb" && labels["ownership"] === "created" ? (labels["claim"] ?? "") : undefined

export const labelledFor = ({ labels }: CloudAddressTruth): string | undefined =>
  labels["managed-by"] === "plenuslb" ? labels["claim"] : undefined

export const holderOf = (truth: GroundTruth, uid: string): IPAllocation | undefined =>
  [...truth.allocations.values()].find(({ metadata }) => metadata.uid === uid)

/** The floating IP of a claim: its very address, or the network that has it. */
export const ofClaim = ({ cloud }: GroundTruth, { address }: Allocation): CloudAddressTruth | undefined =>
  cloud.find((found) => isOf(found, address))

/** The very address, or the first of the network. */
export const isOf = ({ network }: CloudAddressTruth, address: string): boolean =>
  network === address || network.replace("::/64", "::1") === address

export const familyOf = ({ network }: CloudAddressTruth): "IPv4" | "IPv6" => (network.includes(":") ? "IPv6" : "IPv4")
