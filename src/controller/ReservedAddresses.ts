/** Addresses that belong to the cluster itself and must never be granted: Nodes' own, pod networks, the Service network. */
import { Result } from "effect"
import type { Node } from "../api/Node.ts"
import type { ServiceCIDR } from "../api/ServiceCIDR.ts"
import * as AddressRange from "../domain/AddressRange.ts"
import type { Reserved } from "../domain/PoolConflicts.ts"

const reserve = (text: string, owner: string): ReadonlyArray<Reserved> => {
  const range = AddressRange.parse(text)
  return Result.isSuccess(range) ? [{ range: range.success, owner }] : []
}

/** Host names among `status.addresses` do not parse and are left out. */
export const reservedOf = (node: Node): ReadonlyArray<Reserved> => {
  const own = (node.status?.addresses ?? []).filter(({ type }) => type === "InternalIP" || type === "ExternalIP")
  const podNetworks = node.spec?.podCIDRs ?? (node.spec?.podCIDR === undefined ? [] : [node.spec.podCIDR])
  return [
    ...own.flatMap(({ address }) => reserve(address, `Node ${node.metadata.name}`)),
    ...podNetworks.flatMap((cidr) => reserve(cidr, `the pod network of Node ${node.metadata.name}`))
  ]
}

export const serviceNetworkOf = ({ spec }: ServiceCIDR): ReadonlyArray<Reserved> =>
  (spec?.cidrs ?? []).flatMap((cidr) => reserve(cidr, "the Service network"))
