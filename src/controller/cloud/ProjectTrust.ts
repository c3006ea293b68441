/**
 * Whether the project that a token opens is the cluster's. That of other machines knows nothing of what was bought here, so
 * that what is given back there would be forgotten and paid for; and what is bought there is of no use. Its servers may be
 * called like the nodes, and its addresses like ours, when the same tools made both.
 */
import { labelNames } from "../../domain/CloudClaim.ts"
import type { CloudAddress, Resolution } from "../../ports/Cloud.ts"
import { lasting, type Trouble } from "./CloudTrouble.ts"

export interface Seen {
  readonly addresses: ReadonlyArray<Pick<CloudAddress, "labels">>
  /** Of all Nodes. */
  readonly resolutions: Iterable<Resolution>
  /** UID of namespace kube-system. */
  readonly cluster: string
  /** Some Node has said by its id which server it is, now or before. */
  readonly saysIds: boolean
}

/** `usable`: nodes of it can be routed to. `known`: it has what is ours, and no node. */
export type Trust = "usable" | "known" | "foreign"

export const saysId = (resolution: Resolution): boolean =>
  resolution.type === "gone" || (resolution.type === "server" && resolution.isById)

const isServer = ({ type }: Resolution): boolean => type === "server"

const isServerById = (resolution: Resolution): boolean => isServer(resolution) && saysId(resolution)

/** A name alone counts only where no Node says more, or what we have labelled there does. */
export const trustIn = ({ addresses, cluster, resolutions, saysIds }: Seen): Trust => {
  const all = [...resolutions]
  const hasOurs = addresses.some(({ labels }) => labels[labelNames.cluster] === cluster)
  if (all.some(isServerById)) return "usable"
  const isNamed = all.some(isServer)
  if (hasOurs) return isNamed ? "usable" : "known"
  return isNamed && !saysIds && !all.some(saysId) ? "usable" : "foreign"
}

/** Routing to no machine of ours is possible with it. */
export const foreign: Trouble = lasting({
  reason: "CloudProjectForeign",
  message:
    "no Node of this cluster is a server of the token's project. Use the token of the cluster's project, or say " +
    "which server a Node is by spec.providerID or the annotation loadbalancing.plenus.io/hetzner-server-id."
})
