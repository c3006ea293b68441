/**
 * Who else claims an address that a node is about to serve (failover R8). Two leaders can each create an IPAllocation for
 * one address, which no compare-and-set of one object sees. Each claim is labelled in the write that makes it, until its
 * holder has let go; each node lists by that label after its own claim was made. So of two nodes the one that lists later
 * sees both claims, and refuses. Pure.
 */
import type { Address } from "./Address.ts"

/** An IPAllocation and what its labels claim, as a consistent list shows it. */
export interface Claimant {
  readonly uid: string
  /** `shop/web`. */
  readonly key: string
  readonly addresses: ReadonlyArray<Address>
}

export type Finding =
  /** Nobody else claimed it when this claim stood there. */
  | { readonly _tag: "Alone" }
  /** Whichever is older: only the controller knows which of them has to go. */
  | { readonly _tag: "Rivals"; readonly keys: ReadonlyArray<string> }
  /** The claim itself is not there: it was withdrawn since, or is not labelled, and nobody would see it. */
  | { readonly _tag: "Unseen" }

export const judging = (claimants: ReadonlyArray<Claimant>) => {
  const byAddress = new Map<Address, ReadonlyArray<Claimant>>()
  for (const each of claimants) {
    for (const address of each.addresses) byAddress.set(address, [...(byAddress.get(address) ?? []), each])
  }
  return ({ address, uid }: { readonly address: Address; readonly uid: string }): Finding => {
    const all = byAddress.get(address) ?? []
    const others = all.filter((each) => each.uid !== uid)
    if (others.length > 0) return { _tag: "Rivals", keys: others.map(({ key }) => key) }
    return all.length > 0 ? { _tag: "Alone" } : { _tag: "Unseen" }
  }
}
