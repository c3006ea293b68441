/** Between the wire form of an IPAllocation and the domain's entries. What cannot be read as an address is left out. */
import { Result } from "effect"
import * as Address from "../domain/Address.ts"
import type { Acknowledgement, Entry, Holder, Intent } from "../domain/Hold.ts"
import { claimedAddresses, involvedNodes } from "../domain/Hold.ts"
import type { AllocationView } from "../domain/NodeDuty.ts"
import type { Allocation, IPAllocation } from "./IPAllocation.ts"
import { once } from "./Once.ts"
import {
  addressLabel,
  addressLabelPrefix,
  managedByLabel,
  managedByValue,
  nodeLabel,
  nodeLabelPrefix
} from "./Names.ts"

/** What has no address yet is an intent, not an entry. */
export const entriesOf = once((allocation: IPAllocation): ReadonlyArray<Entry> =>
  allocation.spec.allocations.flatMap((each) => {
    const parsed = Address.parse(each.address)
    if (Result.isFailure(parsed)) return []
    return [
      {
        address: parsed.success,
        pool: each.pool,
        interfaceName: each.networkInterface,
        cloudProvider: each.cloudProvider,
        cloudId: each.cloudId,
        node: each.nodeName,
        holdId: each.holdId,
        epoch: each.epoch,
        ...(each.probe === true ? { probe: true } : {}),
        ...(each.served === true ? { served: true } : {}),
        previous: each.previous ?? []
      }
    ]
  })
)

/** v0.4 leaves one after a failed purchase, without provider or family: Hetzner and IPv4 were all it knew. */
export const intentsOf = once((allocation: IPAllocation): ReadonlyArray<Intent> =>
  allocation.spec.allocations.flatMap(({ address, cloudProvider = "hetzner", family = "IPv4", pool }) =>
    address === "" ? [{ pool, family, cloudProvider }] : []
  )
)

export const acknowledgementsOf = once((allocation: IPAllocation): ReadonlyArray<Acknowledgement> =>
  (allocation.status?.addresses ?? []).flatMap((each) => {
    const parsed = Address.parse(each.address)
    if (Result.isFailure(parsed) || each.holdId === undefined || each.epoch === undefined) return []
    const { epoch, holdId, mac, node, phase } = each
    return [{ address: parsed.success, node, holdId, epoch, phase, ...(mac === undefined ? {} : { mac }) }]
  })
)

export const viewOf = (allocation: IPAllocation): AllocationView => ({
  key: `${allocation.metadata.namespace ?? ""}/${allocation.metadata.name}`,
  uid: allocation.metadata.uid ?? "",
  deleting: allocation.metadata.deletionTimestamp !== undefined,
  entries: entriesOf(allocation),
  acknowledgements: acknowledgementsOf(allocation)
})

/** `viewOf` for who asks again and again: an IPAllocation is never changed in place, so its addresses are parsed once. */
export const views = (): typeof viewOf => {
  const known = new WeakMap<IPAllocation, AllocationView>()
  return (allocation) => {
    const view = known.get(allocation) ?? viewOf(allocation)
    known.set(allocation, view)
    return view
  }
}

export const wireOfIntent = (intent: Intent): Allocation => ({ address: "", ...intent })

export const wireOf = (entry: Entry): Allocation => ({
  address: entry.address,
  pool: entry.pool,
  ...(entry.node === undefined ? {} : { nodeName: entry.node }),
  ...(entry.interfaceName === undefined ? {} : { networkInterface: entry.interfaceName }),
  ...(entry.cloudProvider === undefined ? {} : { cloudProvider: entry.cloudProvider }),
  ...(entry.cloudId === undefined ? {} : { cloudId: entry.cloudId }),
  ...(entry.holdId === undefined ? {} : { holdId: entry.holdId }),
  ...(entry.epoch === undefined ? {} : { epoch: entry.epoch }),
  ...(entry.probe === true ? { probe: true } : {}),
  ...(entry.served === true ? { served: true } : {}),
  ...(entry.previous.length === 0 ? {} : { previous: entry.previous })
})

/** The columns of `kubectl get ipa`: a column prints only the first result of a path, so they are written out. */
export const listsOf = (entries: ReadonlyArray<Entry>) => ({
  addressList: entries.map((entry) => entry.address).join(","),
  nodeList: [...new Set(entries.flatMap((entry) => entry.node ?? []))].join(",")
})

export type Labels = { readonly [label: string]: string }
export type IsFenced = (holder: Holder) => boolean

/**
 * All labels of an IPAllocation that are ours: who watches it, and which addresses it claims (failover R8). What a fenced
 * node once said claims nothing, or no other could have the address before that node is back; the node still finds it.
 */
export const labelsOf = (
  entries: ReadonlyArray<Entry>,
  acknowledgements: ReadonlyArray<Acknowledgement>,
  isFenced: IsFenced
): Labels => {
  const standing = acknowledgements.filter((each) => each.phase === "Serving" && !isFenced(each))
  return Object.fromEntries([
    [managedByLabel, managedByValue],
    ...involvedNodes(entries, acknowledgements).map((node) => [nodeLabel(node), ""]),
    ...claimedAddresses(entries, standing).map((address) => [addressLabel(address), ""])
  ])
}

/** Whether what it claims may depend on who is fenced: some node says that it serves what no entry names any more. */
const isLeftSaid = once((allocation: IPAllocation): boolean => {
  const named = new Set<string>(entriesOf(allocation).map(({ address }) => address))
  return acknowledgementsOf(allocation).some(({ address, phase }) => phase === "Serving" && !named.has(address))
})

const dueByAll = once((allocation: IPAllocation) =>
  labelsOf(entriesOf(allocation), acknowledgementsOf(allocation), () => false)
)

/** The labels that this IPAllocation should have, as it stands. */
export const dueLabelsOf = (allocation: IPAllocation, isFenced: IsFenced): Labels =>
  isLeftSaid(allocation)
    ? labelsOf(entriesOf(allocation), acknowledgementsOf(allocation), isFenced)
    : dueByAll(allocation)

/** Whether all of `labelsOf` are there; on what v0.4 left they are not. */
export const hasLabels = ({ metadata }: IPAllocation, wanted: Labels): boolean =>
  Object.keys(wanted).every((label) => metadata.labels?.[label] === wanted[label])

export const isOurLabel = (label: string): boolean =>
  label === managedByLabel || label.startsWith(nodeLabelPrefix) || label.startsWith(addressLabelPrefix)

/** The claims of an IPAllocation that cannot be decoded: its labels still can. */
export const claimsInLabels = (labels: Labels): ReadonlyArray<Address.Address> =>
  Object.keys(labels).flatMap((label) => {
    const hex = label.startsWith(addressLabelPrefix) ? label.slice(addressLabelPrefix.length) : ""
    const family = hex.length === 8 ? "IPv4" : "IPv6"
    return /^([0-9a-f]{8}|[0-9a-f]{32})$/.test(hex) ? [Address.fromBigInt(family, BigInt(`0x${hex}`))] : []
  })
