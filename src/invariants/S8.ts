/**
 * S8: within one IPAllocation the epoch of an address never falls, and rises with each change of its holder, also when
 * the address was released in between (failover R2): a report that is late names an epoch that is over.
 */
import type { Allocation, IPAllocation } from "../api/IPAllocation.ts"
import { claimsOf, grantKey } from "./Claims.ts"
import type { Safety, Violation } from "./GroundTruth.ts"

const compare = (name: string, before: Allocation, after: Allocation): ReadonlyArray<Violation> => {
  const [old, next] = [before.epoch ?? 0, after.epoch ?? 0]
  const isSameHolder = before.nodeName === after.nodeName && before.holdId === after.holdId
  const wrong =
    next < old
      ? `fell from ${old} to ${next}`
      : next === old && !isSameHolder && before.holdId !== undefined
        ? `stayed ${old} while the holder changed from ${before.nodeName} to ${after.nodeName}`
        : undefined
  return wrong === undefined ? [] : [{ invariant: "S8", message: `${name}: the epoch of ${after.address} ${wrong}` }]
}

export const S8: Safety = {
  id: "S8",
  title: "epochs are monotone",
  judge: () => {
    /** By grant, the claim with the highest epoch. */
    const highest = new Map<string, Allocation>()
    const note = (allocation: IPAllocation, claim: Allocation): ReadonlyArray<Violation> => {
      if (claim.epoch === undefined) return []
      const key = grantKey(allocation, claim.address)
      const before = highest.get(key)
      if (before === undefined || (before.epoch ?? 0) < claim.epoch) highest.set(key, claim)
      return before === undefined ? [] : compare(nameOf(allocation), before, claim)
    }
    return {
      after: (event) => {
        if (event.type !== "Written" || event.kind !== "IPAllocation") return []
        const { after, before } = event
        if (after !== undefined) return claimsOf(after).flatMap((claim) => note(after, claim))
        for (const { address } of before === undefined ? [] : claimsOf(before)) {
          if (before !== undefined) highest.delete(grantKey(before, address))
        }
        return []
      },
      whole: () => []
    }
  }
}

const nameOf = ({ metadata }: IPAllocation): string => `${metadata.namespace}/${metadata.name}`
