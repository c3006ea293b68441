/**
 * S16: before an address is used for the first time it is asked for, and what a foreign machine answers for is left to it. Used
 * is what is announced: that is what takes the machine's clients away. What was served, or is shown, or v0.4 left, is ours:
 * who comes for it later must give way. Source: RFC 5227, which asks every host for it.
 */
import type { Allocation, IPAllocation } from "../api/IPAllocation.ts"
import { claimsOf, grantKey, shownBy } from "./Claims.ts"
import type { GroundTruth, Safety, TruthEvent, Violation } from "./GroundTruth.ts"
import { isHindered } from "./Hindered.ts"

/** From the last moment at which an answer counted to the announcement: a round, and tools on a busy machine. */
const announcingMillis = 3_000

/** Since when the node could have heard of it; undefined: it cannot now. */
const audibleSince = (truth: GroundTruth, node: string, address: string): number | undefined => {
  const [foreign, reaching] = [truth.foreignSince.get(address), truth.nodes.get(node)?.reachesSince]
  return foreign === undefined || reaching === undefined ? undefined : Math.max(foreign, reaching)
}

const isPutByPerson = (truth: GroundTruth, node: string, address: string): boolean =>
  truth.nodes.get(node)?.putBy.get(address)?.startsWith("operator-") !== true

class Uses {
  /** Grants that were used, or begin with what is used already. */
  private readonly used = new Set<string>()

  written(event: Extract<TruthEvent, { readonly kind: "IPAllocation" }>, truth: GroundTruth): void {
    const { after, before, key } = event
    if (after === undefined) return
    const old = new Set(before === undefined ? [] : claimsOf(before).map(({ address }) => grantKey(before, address)))
    const shown = [...shownBy(truth.services.get(key))]
    for (const claim of claimsOf(after)) {
      const grant = grantKey(after, claim.address)
      const isOlder = !old.has(grant) && shown.includes(claim.address)
      if (isOlder || isOfV04(claim) || claim.cloudProvider !== undefined) this.used.add(grant)
    }
  }

  announced(grants: ReadonlyArray<string>): void {
    for (const grant of grants) this.used.add(grant)
  }

  isFirst(grants: ReadonlyArray<string>): boolean {
    return grants.length > 0 && !grants.some((grant) => this.used.has(grant))
  }
}

const isOfV04 = ({ holdId, nodeName }: Allocation): boolean => nodeName !== undefined && holdId === undefined

const grantsOn = (truth: GroundTruth, node: string, address: string): ReadonlyArray<string> =>
  [...truth.allocations.values()].flatMap((allocation: IPAllocation) =>
    claimsOf(allocation).some((each) => each.address === address && each.nodeName === node)
      ? [grantKey(allocation, address)]
      : []
  )

export const S16: Safety = {
  id: "S16",
  title: "what a foreign machine answers for is not used",
  judge: () => {
    const uses = new Uses()
    const judge = (
      truth: GroundTruth,
      { address, isStopped, node }: Extract<TruthEvent, { readonly type: "Announced" }>
    ): ReadonlyArray<Violation> => {
      const grants = grantsOn(truth, node, address)
      const isFirst = uses.isFirst(grants)
      uses.announced(grants)
      const since = isFirst ? audibleSince(truth, node, address) : undefined
      if (since === undefined || truth.nowMillis - since <= announcingMillis) return []
      if (isStopped || isHindered(truth, node) || isPutByPerson(truth, node, address)) return []
      const message = `${node} uses ${address} for the first time, which a foreign machine has`
      return [{ invariant: "S16", message }]
    }
    return {
      after: (event, truth) => {
        if (event.type === "Written" && event.kind === "IPAllocation") uses.written(event, truth)
        return event.type === "Announced" ? judge(truth, event) : []
      },
      whole: () => []
    }
  }
}
