/**
 * S14: an address is granted anew only after its former holders have let go or are fenced: nobody of them answers for it
 * any more. And none is fenced before the time that its lease announces has passed since its last renewal. Where two leaders granted one address at once both claims stand, which S2 judges.
 */
import type { IPAllocation } from "../api/IPAllocation.ts"
import * as NodeLease from "../api/NodeLease.ts"
import { clockRateError } from "../domain/FailoverTimes.ts"
import { isController, isOperator } from "./Actors.ts"
import { claimantsOf, claimsOf, grantKey, nameOf } from "./Claims.ts"
import type { GroundTruth, Safety, Violation, Written } from "./GroundTruth.ts"
import { excuseOf } from "./Hindered.ts"
import { fencedOf } from "./Registrations.ts"

type LeaseWritten = Extract<Written, { readonly kind: "Lease" }>

const judgeGrant = (truth: GroundTruth, allocation: IPAllocation, address: string): ReadonlyArray<Violation> => {
  const others = claimantsOf(truth, address).filter(({ metadata }) => metadata.uid !== allocation.metadata.uid)
  if (others.length > 0) return []
  const nodes = [...(truth.holders.get(address) ?? [])].filter((name) =>
    isOperator(truth.nodes.get(name)?.putBy.get(address) ?? "")
  )
  const message = `${nameOf(allocation)} was granted ${address} while ${nodes.join(" and ")} still answered for it`
  return nodes.length === 0 ? [] : [{ invariant: "S14", message, ...excuseOf(truth, nodes) }]
}

/** Whoever fences counts on its own clock, which may be too fast by as much as any may. */
const judgeFence = (
  { after, before, by, key }: LeaseWritten,
  renewedMillis: number,
  nowMillis: number
): ReadonlyArray<Violation> => {
  const content = before === undefined ? undefined : NodeLease.read(before)
  if (after === undefined || before === undefined || content === undefined || !isController(by)) return []
  const elapsedMillis = nowMillis - renewedMillis
  if (fencedOf(before) === fencedOf(after) || elapsedMillis * (1 + clockRateError) >= content.durationMillis) return []
  const message = `${by} fenced ${key} ${elapsedMillis} ms after its renewal, and it announced ${content.durationMillis} ms`
  return [{ invariant: "S14", message }]
}

export const S14: Safety = {
  id: "S14",
  title: "an address is reused only after its fence is complete",
  judge: () => {
    /** By key of the lease, when it was written last. */
    const renewed = new Map<string, number>()
    const leaseWritten = (event: LeaseWritten, nowMillis: number): ReadonlyArray<Violation> => {
      const violations = judgeFence(event, renewed.get(event.key) ?? Number.NEGATIVE_INFINITY, nowMillis)
      renewed.set(event.key, nowMillis)
      return violations
    }
    return {
      after: (event, truth) => {
        if (event.type !== "Written") return []
        if (event.kind === "Lease") return leaseWritten(event, truth.nowMillis)
        if (event.kind !== "IPAllocation" || event.after === undefined) return []
        const { after, before, by } = event
        if (!isController(by)) return []
        const old = new Set(
          before === undefined ? [] : claimsOf(before).map(({ address }) => grantKey(before, address))
        )
        return claimsOf(after)
          .filter(({ address }) => !old.has(grantKey(after, address)))
          .flatMap(({ address }) => judgeGrant(truth, after, address))
      },
      whole: () => []
    }
  }
}
