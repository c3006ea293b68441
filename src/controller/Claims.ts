/**
 * Which IPAllocations claim an address, as they stand in the cluster. There should be one each; a second comes from two
 * leaders that granted at once, or from a hand that wrote. The claims of all are kept, so that the address stays taken
 * when one of them goes, and the same one wins on every replica and after every restart: the one that is served, else
 * the older (failover R8).
 */
import type { Address } from "../domain/Address.ts"
import type { Claim } from "../domain/AddressIndex.ts"

export interface RecordedClaim extends Claim {
  /** Of the IPAllocation. */
  readonly key: string
  readonly createdAt: string
  readonly served: boolean
}

const wins = (a: RecordedClaim, b: RecordedClaim): boolean => {
  if (a.served !== b.served) return a.served
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt
  return a.key < b.key
}

export class Claims {
  private readonly byAddress = new Map<Address, ReadonlyMap<string, RecordedClaim>>()

  set(address: Address, claim: RecordedClaim): void {
    this.byAddress.set(address, new Map(this.byAddress.get(address)).set(claim.key, claim))
  }

  delete(address: Address, key: string): void {
    const left = new Map(this.byAddress.get(address))
    left.delete(key)
    if (left.size === 0) this.byAddress.delete(address)
    else this.byAddress.set(address, left)
  }

  /** Whose the address is; undefined: nobody's IPAllocation claims it. */
  winner(address: Address): RecordedClaim | undefined {
    let best: RecordedClaim | undefined
    for (const claim of this.byAddress.get(address)?.values() ?? []) {
      if (best === undefined || wins(claim, best)) best = claim
    }
    return best
  }

  /** The one that has it, where it is not the claim of `key`; that one must let go. */
  rivalOf(address: Address, key: string): RecordedClaim | undefined {
    const winner = this.winner(address)
    return winner === undefined || winner.key === key ? undefined : winner
  }

  /** The first that claims it beside `key`, and has to let go before a node may serve it. */
  loserTo(address: Address, key: string): RecordedClaim | undefined {
    if (this.winner(address)?.key !== key) return undefined
    return [...(this.byAddress.get(address)?.values() ?? [])].find((claim) => claim.key !== key)
  }

  /** Of all claims, in no order. */
  keysOf(address: Address): Iterable<string> {
    return this.byAddress.get(address)?.keys() ?? []
  }
}
