/** The duties of a node in one round, and which of them it may serve: others may claim the same address (failover R8). */
import type { Address } from "../domain/Address.ts"
import type * as InterfacePlan from "../domain/InterfacePlan.ts"
import * as NodeDuty from "../domain/NodeDuty.ts"
import type { ClaimCheck } from "./ClaimCheck.ts"

export class Duties {
  readonly proven: ReadonlyArray<NodeDuty.Duty>
  /** Nobody knows yet whether they may be served: they stay as they are, on the interface and in the fence. */
  readonly undecided: ReadonlyArray<NodeDuty.Duty>
  /** By address: keys of the allocations that want it here, whether or not they may. */
  private readonly wantedBy = new Map<Address, Set<string>>()
  private readonly unproven = new Set<string>()
  private readonly unknown: ReadonlySet<Address>

  private constructor(all: ReadonlyArray<NodeDuty.Duty>, verdictOf: ClaimCheck["verdictOf"]) {
    this.proven = all.filter((duty) => verdictOf(duty) === "alone")
    const proven = new Set(this.proven)
    for (const duty of all) {
      this.wantedBy.set(duty.address, (this.wantedBy.get(duty.address) ?? new Set()).add(duty.allocation))
      if (proven.has(duty)) continue
      this.unproven.add(`${duty.allocation} ${duty.address}`)
    }
    const isProven = new Set(this.proven.map(({ address }) => address))
    this.undecided = all.filter((duty) => !isProven.has(duty.address) && verdictOf(duty) === "unknown")
    this.unknown = new Set(this.undecided.map(({ address }) => address))
  }

  static of(
    allocations: ReadonlyArray<NodeDuty.AllocationView>,
    self: NodeDuty.Self,
    verdictOf: ClaimCheck["verdictOf"]
  ): Duties {
    return new Duties(
      allocations.flatMap((each) => NodeDuty.dutiesOf(each, self)),
      verdictOf
    )
  }

  areAllProven(): boolean {
    return this.unproven.size === 0
  }

  withoutUnknown(changes: ReadonlyArray<InterfacePlan.Change>): ReadonlyArray<InterfacePlan.Change> {
    return this.unknown.size === 0
      ? changes
      : changes.filter((each) => each._tag === "Add" || !this.unknown.has(each.address))
  }

  /** What lies there for another IPAllocation this one has let go of, or never had; what is not proven it does not serve. */
  keptFor({ key }: NodeDuty.AllocationView, { foreignMacOf, isAnnounced, isHeld }: NodeDuty.Kept): NodeDuty.Kept {
    const isForOthers = (address: Address) => this.wantedBy.get(address)?.has(key) === false
    return {
      isHeld: (address) => !isForOthers(address) && isHeld(address),
      isAnnounced: (address) => !this.unproven.has(`${key} ${address}`) && isAnnounced(address),
      foreignMacOf: (address) => (this.unproven.has(`${key} ${address}`) ? undefined : foreignMacOf(address))
    }
  }
}
