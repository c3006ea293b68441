/**
 * S8: within one IPAllocation the epoch of an address never falls, and rises with each change of its holder, also when
 * the address was released in between (failover R2): a report that is late names an epoch that is over. And what addresses
 * are held under stays while its machine runs, unless it was fenced or given back: a restart moves nothing (R1).
 */
import type { Allocation, IPAllocation } from "../api/IPAllocation.ts"
import * as NodeLease from "../api/NodeLease.ts"
import { generationOf } from "../domain/HoldId.ts"
import { isOperator } from "./Actors.ts"
import { claimsOf, grantKey } from "./Claims.ts"
import type { Safety, Violation, Written } from "./GroundTruth.ts"

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

/** An id that skips a generation follows one that an IPAllocation names, and that the lease, made anew, has never seen. */
const judgeRegistration = ({
  after,
  before,
  by,
  key
}: Extract<Written, { kind: "Lease" }>): ReadonlyArray<Violation> => {
  const [old, next] = [before, after].map((each) => (each === undefined ? undefined : NodeLease.read(each)))
  if (old === undefined || next === undefined || !isOperator(by) || old.bootId !== next.bootId) return []
  const isOver = old.fenced === old.holdId || old.released === old.holdId
  const isNext = generationOf(next.holdId) === generationOf(old.holdId) + 1
  if (isOver || !isNext) return []
  const message = `${by} gave up ${old.holdId} for ${next.holdId} in lease ${key}, and nobody had fenced it`
  return [{ invariant: "S8", message }]
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
        if (event.type !== "Written") return []
        if (event.kind === "Lease") return judgeRegistration(event)
        if (event.kind !== "IPAllocation") return []
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
