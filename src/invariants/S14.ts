/**
 * S14: an address is granted anew only after its former holders have let go or are fenced: nobody of them answers for it
 * any more. Where two leaders granted one address at once both claims stand, which S2 judges.
 */
import type { IPAllocation } from "../api/IPAllocation.ts"
import { isController, isOperator } from "./Actors.ts"
import { claimantsOf, claimsOf, grantKey, nameOf } from "./Claims.ts"
import type { GroundTruth, Safety, Violation } from "./GroundTruth.ts"
import { excuseOf } from "./Hindered.ts"

const judgeGrant = (truth: GroundTruth, allocation: IPAllocation, address: string): ReadonlyArray<Violation> => {
  const others = claimantsOf(truth, address).filter(({ metadata }) => metadata.uid !== allocation.metadata.uid)
  if (others.length > 0) return []
  const nodes = [...(truth.holders.get(address) ?? [])].filter((name) =>
    isOperator(truth.nodes.get(name)?.putBy.get(address) ?? "")
  )
  const message = `${nameOf(allocation)} was granted ${address} while ${nodes.join(" and ")} still answered for it`
  return nodes.length === 0 ? [] : [{ invariant: "S14", message, ...excuseOf(truth, nodes) }]
}

export const S14: Safety = {
  id: "S14",
  title: "an address is reused only after its fence is complete",
  judge: () => ({
    after: (event, truth) => {
      if (event.type !== "Written" || event.kind !== "IPAllocation" || event.after === undefined) return []
      const { after, before, by } = event
      if (!isController(by)) return []
      const old = new Set(before === undefined ? [] : claimsOf(before).map(({ address }) => grantKey(before, address)))
      return claimsOf(after)
        .filter(({ address }) => !old.has(grantKey(after, address)))
        .flatMap(({ address }) => judgeGrant(truth, after, address))
    },
    whole: () => []
  })
}
