/**
 * Addresses of pools for which a machine that is none of the cluster's was found to answer: for a while they are granted last
 * to Services that ask for no address in particular. Each replica learns of them from the operators' reports; one that has
 * just started knows those that are reported now, and finds the others out at the cost of one probe each.
 */
import type { IPAllocation } from "../api/IPAllocation.ts"
import { acknowledgementsOf } from "../api/AllocationEntries.ts"
import type { Address } from "../domain/Address.ts"
import type { Acknowledgement } from "../domain/Hold.ts"

/**
 * Since it was last reported. A machine that was configured by hand stays for hours, one that was found by mistake is gone in
 * a minute; and an address that is avoided is missed only by a pool that has no other, which then grants it all the same.
 */
const AVOIDED_MILLIS = 600_000

const addressesOf = (allocation: IPAllocation | undefined, phase: Acknowledgement["phase"]): ReadonlyArray<Address> =>
  allocation === undefined
    ? []
    : acknowledgementsOf(allocation).flatMap((each) => (each.phase === phase ? [each.address] : []))

export class Occupied {
  private readonly untilMillis = new Map<Address, number>()

  onAllocation(
    { after, before }: { readonly before?: IPAllocation | undefined; readonly after?: IPAllocation | undefined },
    nowMillis: number
  ): void {
    for (const address of [...addressesOf(before, "InUse"), ...addressesOf(after, "InUse")]) {
      this.untilMillis.set(address, nowMillis + AVOIDED_MILLIS)
    }
    if (this.untilMillis.size > 0) for (const each of addressesOf(after, "Serving")) this.untilMillis.delete(each)
  }

  addresses(nowMillis: number): ReadonlyArray<Address> {
    for (const [address, until] of this.untilMillis) if (until <= nowMillis) this.untilMillis.delete(address)
    return [...this.untilMillis.keys()]
  }
}
