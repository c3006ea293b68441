/**
 * S1: at most one node serves an address. Serving is what a client sees: the address is on an interface and the kernel
 * answers for it. That two leaders each granted it excuses nothing: nodes ask who else claims it (failover R8).
 * A node of which a person says that it is off, though it is not, may go on beside its successor: GivenUp.
 * What a provider routes, one node alone gets packets for, whoever answers: the one that it is routed to. A planned move has both
 * hold it for a while, and a pool may keep it on a node without a lease. What its pool does not keep: S14, S17. Once it was
 * given back, nobody gets packets for it, until a pool that no provider routes has it.
 * Source: failover, the promise; PlenusLB v0.4 left the address on the node that it moved it from.
 */
import { claimsOf } from "./Claims.ts"
import { isOf } from "./Clouds.ts"
import { Disowned } from "./Disowned.ts"
import { GivenUp } from "./GivenUp.ts"
import type { GroundTruth, Safety, TruthEvent, Violation } from "./GroundTruth.ts"
import { whyAnswers } from "./Hindered.ts"
import { claimsOn } from "./Losses.ts"

/** What a provider routes, or did until nobody claimed it any more. */
class Routed {
  /** By address, whether what claimed it last had a provider route it. */
  private readonly lastClaims = new Map<string, boolean>()

  hear(event: TruthEvent): void {
    if (event.type !== "Written" || event.kind !== "IPAllocation" || event.after === undefined) return
    for (const { address, cloudProvider } of claimsOf(event.after)) {
      this.lastClaims.set(address, cloudProvider !== undefined)
    }
  }

  has(truth: GroundTruth, address: string): boolean {
    if (truth.cloud.some((found) => isOf(found, address))) return true
    const claims = claimsOn(truth, address)
    if (claims.length === 0) return this.lastClaims.get(address) === true
    return claims.some(({ cloudProvider }) => cloudProvider !== undefined)
  }
}

/** What was heard of the past. */
class Heard {
  readonly disowned = new Disowned()
  readonly routed = new Routed()
  readonly givenUp = new GivenUp()

  hear(event: TruthEvent, truth: GroundTruth): void {
    this.disowned.hear(event, truth)
    this.routed.hear(event)
    this.givenUp.hear(event, truth)
  }

  excuseOf(truth: GroundTruth, node: string, address: string): string | undefined {
    if (this.disowned.has(address, node)) return "disowned"
    return this.givenUp.has(node) ? "said to be off" : whyAnswers(truth, node, address)
  }
}

const judgeAddress = (truth: GroundTruth, address: string, heard: Heard): ReadonlyArray<Violation> => {
  const holders = [...(truth.holders.get(address) ?? [])]
  if (holders.length < 2 || heard.routed.has(truth, address)) return []
  const excuses = holders.flatMap((node) => {
    const excuse = heard.excuseOf(truth, node, address)
    return excuse === undefined ? [] : [excuse]
  })
  const violation = { invariant: "S1", message: `${address} is served by ${holders.join(" and ")}` }
  if (excuses.length >= holders.length - 1) {
    return [{ ...violation, excuse: [...new Set(excuses)].toSorted().join("; ") }]
  }
  return [violation]
}

export const S1: Safety = {
  id: "S1",
  title: "at most one node serves an address",
  judge: () => {
    /** Excused so far: what excuses them ends without an event. */
    const excused = new Set<string>()
    const heard = new Heard()
    const again = (truth: GroundTruth): ReadonlyArray<Violation> =>
      [...excused].flatMap((address) => {
        const violations = judgeAddress(truth, address, heard)
        if (violations.length === 0) excused.delete(address)
        return violations.filter(({ excuse }) => excuse === undefined)
      })
    return {
      after: (event, truth) => {
        heard.hear(event, truth)
        if (event.type !== "Held" || !event.isHeld) return excused.size === 0 ? [] : again(truth)
        const violations = judgeAddress(truth, event.address, heard)
        if (violations.some(({ excuse }) => excuse !== undefined)) excused.add(event.address)
        return [...violations, ...again(truth)]
      },
      whole: (truth) => [...truth.holders.keys()].flatMap((address) => judgeAddress(truth, address, heard))
    }
  }
}
