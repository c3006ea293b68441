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

/**
 * For so long at most the sweep leaves what nobody has (docs/hetzner.md: ten minutes): it looks ten times, once a minute, or a
 * quarter of a minute later when the provider did not answer.
 */
export const sweptMillis = 10 * 75_000

/** Its IPAllocation went without us, and the sweep is not due yet. */
export const awaitsSweep = ({ disowned, nowMillis }: GroundTruth, uid: string): boolean => {
  const gone = disowned.get(uid)
  return gone !== undefined && nowMillis - gone.countedFromMillis <= sweptMillis
}

/** Labelled by us for what is no more. */
export const orphansIn = (truth: GroundTruth): ReadonlyArray<CloudAddressTruth> =>
  truth.cloud.filter((found) => {
    const uid = labelledFor(found)
    return uid !== undefined && holderOf(truth, uid) === undefined
  })

/** The floating IP of a claim: its very address, or the network that has it. */
export const ofClaim = ({ cloud }: GroundTruth, { address }: Allocation): CloudAddressTruth | undefined =>
  cloud.find((found) => isOf(found, address))

/** The very address, or the first of the network. */
export const isOf = ({ network }: CloudAddressTruth, address: string): boolean =>
  network === address || network.replace("::/64", "::1") === address

export const familyOf = ({ network }: CloudAddressTruth): "IPv4" | "IPv6" => (network.includes(":") ? "IPv6" : "IPv4")
