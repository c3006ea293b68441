/**
 * What a pool says, read by the invariants' own simple logic: nothing here is shared with the decisions of the program but
 * the notions of an address, a range and a label selector.
 */
import { Result } from "effect"
import type { Namespace } from "../api/Namespace.ts"
import type { Node } from "../api/Node.ts"
import { once } from "../api/Once.ts"
import type { Service } from "../api/Service.ts"
import type { Address, Family } from "../domain/Address.ts"
import { keepInUse } from "../domain/Annotations.ts"
import * as AddressRange from "../domain/AddressRange.ts"
import * as LabelSelector from "../domain/LabelSelector.ts"
import type { GroundTruth, PoolTruth } from "./GroundTruth.ts"

export const isReadable = (text: string): boolean => {
  const range = AddressRange.parse(text)
  return Result.isSuccess(range) && AddressRange.unusable(range.success) === undefined
}

/** What can be read of `spec.addresses`: an entry that cannot costs only itself. */
export const rangesOf = once((pool: PoolTruth): ReadonlyArray<AddressRange.AddressRange> =>
  parsedOf((pool.spec.addresses ?? []).filter(isReadable))
)

const parsedOf = (texts: ReadonlyArray<string>): ReadonlyArray<AddressRange.AddressRange> =>
  texts.flatMap((text) => {
    const range = AddressRange.parse(text)
    return Result.isSuccess(range) ? [range.success] : []
  })

export const lists = (pool: PoolTruth, address: Address): boolean =>
  rangesOf(pool).some((range) => AddressRange.contains(range, address))

export const keeps = ({ metadata }: PoolTruth): boolean => metadata.annotations?.[keepInUse] === "true"

export const allows = ({ spec }: PoolTruth, namespace: Namespace | undefined): boolean => {
  const named = spec.allowedNamespaces ?? []
  const selector = spec.allowedNamespaceSelector
  if (named.length === 0 && selector === undefined) return true
  if (namespace === undefined) return false
  const isSelected = selector !== undefined && LabelSelector.matches(selector, namespace.metadata.labels)
  return named.includes(namespace.metadata.name) || isSelected
}

/** Whether a new grant to this Service is in accordance with all of the pool's rules. */
export const admits = (truth: GroundTruth, pool: PoolTruth, { metadata }: Service): boolean =>
  pool.metadata.deletionTimestamp === undefined &&
  pool.spec.disabled !== true &&
  allows(pool, truth.namespaces.get(metadata.namespace ?? "")) &&
  LabelSelector.matches(pool.spec.serviceSelector, metadata.labels)

const rank = ({ metadata }: PoolTruth) => `${metadata.creationTimestamp ?? ""} ${metadata.name}`

/** The older of all pools that list the address has it, of two of one second the first by name. */
export const ownerOf = (truth: GroundTruth, address: Address): PoolTruth | undefined => {
  return [...persistent(truth).values()]
    .filter((pool) => lists(pool, address))
    .toSorted((left, right) => (rank(left) < rank(right) ? -1 : 1))[0]
}

export const persistent = ({ pools }: GroundTruth): ReadonlyMap<string, PoolTruth> =>
  new Map([...pools].filter(([key]) => key.startsWith("PersistentIPPool/")))

/** Addresses of Nodes and Pods; no grant of them is expected, whatever a pool lists. */
export const isReserved = ({ nodeObjects }: GroundTruth, address: Address): boolean =>
  [...nodeObjects.values()].some((node) => reservedBy(node).some((range) => AddressRange.contains(range, address)))

const reservedBy = once(({ spec, status }: Node): ReadonlyArray<AddressRange.AddressRange> => {
  const own = (status?.addresses ?? []).map((each) => each.address)
  const networks = spec?.podCIDRs ?? (spec?.podCIDR === undefined ? [] : [spec.podCIDR])
  return parsedOf([...own, ...networks])
})

/** What v0.4 called buggy: some clients take the first and last address of a /24 for the network and the broadcast. */
export const isAvoided = ({ spec }: PoolTruth, family: Family, value: bigint): boolean =>
  spec.avoidBuggyIPs === true && family === "IPv4" && (value % 256n === 0n || value % 256n === 255n)
