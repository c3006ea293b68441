/** What an IPAllocation says, in the words of the invariants. */
import type { Allocation, IPAllocation } from "../api/IPAllocation.ts"
import { once } from "../api/Once.ts"
import type { Service } from "../api/Service.ts"
import type { GroundTruth } from "./GroundTruth.ts"

/**
 * What a program saw may be as old as this when it acts: a watch that died in silence is noticed after 180 s, and a
 * request may be under way for 10 s, or in a process that was paused for a minute.
 */
export const staleMillis = 250_000

export const claimsOf = once((allocation: IPAllocation): ReadonlyArray<Allocation> =>
  allocation.spec.allocations.filter(({ address }) => address !== "")
)

/** It names nobody any more but those who must let go. */
export const isLeaving = (claim: Allocation): boolean =>
  claim.nodeName === undefined && (claim.previous ?? []).length > 0

export const keyOf = ({ metadata }: IPAllocation | Service): string => `${metadata.namespace ?? ""}/${metadata.name}`

export const nameOf = (allocation: IPAllocation): string =>
  `${keyOf(allocation)} (uid ${allocation.metadata.uid ?? "unknown"})`

/** One grant: of this address to this IPAllocation. */
export const grantKey = ({ metadata }: IPAllocation, address: string): string => `${metadata.uid ?? ""} ${address}`

export const ownerUidOf = ({ metadata }: IPAllocation): string | undefined =>
  metadata.ownerReferences?.find(({ kind }) => kind === "Service")?.uid

export const isDeleting = ({ metadata }: IPAllocation | Service): boolean => metadata.deletionTimestamp !== undefined

/** IPAllocations that claim the address. */
export const claimantsOf = (truth: GroundTruth, address: string): ReadonlyArray<IPAllocation> =>
  [...truth.allocations.values()].filter((allocation) =>
    claimsOf(allocation).some((claim) => claim.address === address)
  )

export const shownBy = (service: Service | undefined): ReadonlyArray<string> =>
  (service?.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]))
