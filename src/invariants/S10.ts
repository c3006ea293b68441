/**
 * S10: two active leaders break nothing. All other invariants hold whoever leads; what two leaders can break beyond them
 * is each other's decisions: one epoch that names two holders, or a fence that is taken back. Every write of a controller
 * is a compare-and-set so that neither can happen (ADR 4). And there are two only when a fault made them: who leads is left
 * alone until its lease has run out. Source: a leader of PlenusLB v0.4 that was paused drove its successor out.
 */
import type { Allocation } from "../api/IPAllocation.ts"
import { leaderLeaseName } from "../api/Names.ts"
import { isController, isOurs } from "./Actors.ts"
import { claimsOf, grantKey, nameOf } from "./Claims.ts"
import type { Safety, Violation, Written } from "./GroundTruth.ts"
import { fencedOf, holdIdOf, mayHaveRunOut } from "./Registrations.ts"

type LeaseWritten = Extract<Written, { readonly kind: "Lease" }>

interface Decision {
  readonly by: string
  readonly holder: string
}

const holderOf = ({ holdId, nodeName }: Allocation): string => `${nodeName ?? "nobody"} under ${holdId ?? "no hold id"}`

/** An operator that was fenced registers under another hold id; a controller changes no registration. */
const judgeLease = ({ after, before, by, key }: LeaseWritten): ReadonlyArray<Violation> => {
  if (after === undefined || before === undefined || holdIdOf(before) === undefined || !isOurs(by)) return []
  const [old, next] = [fencedOf(before), fencedOf(after)]
  const isSameHold = holdIdOf(before)?.holdId === holdIdOf(after)?.holdId
  const isFine = isSameHold ? old === undefined || old === next : !isController(by)
  if (isFine) return []
  const what = isSameHold ? `the fence of ${old}` : "the registration"
  return [{ invariant: "S10", message: `${by} took back ${what} in lease ${key}` }]
}

const judgeLeader = (
  { after, before, by }: LeaseWritten,
  renewedMillis: number,
  nowMillis: number
): ReadonlyArray<Violation> => {
  const [former, next] = [before?.spec?.holderIdentity ?? "", after?.spec?.holderIdentity ?? ""]
  if (former === "" || next === "" || former === next || !isController(by)) return []
  const leaseMillis = (before?.spec?.leaseDurationSeconds ?? 0) * 1000
  const elapsedMillis = nowMillis - renewedMillis
  if (mayHaveRunOut(elapsedMillis, leaseMillis)) return []
  return [{ invariant: "S10", message: `${by} took the lead from ${former}, who renewed ${elapsedMillis} ms before` }]
}

export const S10: Safety = {
  id: "S10",
  title: "two active leaders break none of these",
  judge: () => {
    let renewedMillis = Number.NEGATIVE_INFINITY
    const leaseWritten = (event: LeaseWritten, nowMillis: number): ReadonlyArray<Violation> => {
      if ((event.after ?? event.before)?.metadata.name !== leaderLeaseName) return judgeLease(event)
      const violations = judgeLeader(event, renewedMillis, nowMillis)
      renewedMillis = nowMillis
      return violations
    }
    /** By grant and epoch, to whom it was given first. */
    const decisions = new Map<string, Decision>()
    const note = (key: string, name: string, by: string, claim: Allocation): ReadonlyArray<Violation> => {
      const next = { by, holder: holderOf(claim) }
      const first = decisions.get(key)
      if (first === undefined) decisions.set(key, next)
      if (first === undefined || first.holder === next.holder) return []
      const message = `${name}: epoch ${claim.epoch} of ${claim.address} was given to ${first.holder} by ${first.by}, and to ${next.holder} by ${by}`
      return [{ invariant: "S10", message }]
    }
    return {
      after: (event, truth) => {
        if (event.type !== "Written") return []
        if (event.kind === "Lease") return leaseWritten(event, truth.nowMillis)
        if (event.kind !== "IPAllocation" || event.after === undefined || !isController(event.by)) return []
        const { after, by } = event
        return claimsOf(after).flatMap((claim) =>
          claim.epoch === undefined
            ? []
            : note(`${grantKey(after, claim.address)} ${claim.epoch}`, nameOf(after), by, claim)
        )
      },
      whole: () => []
    }
  }
}
