/**
 * What becomes of a pool's addresses on a node that cannot renew its lease (`options.onControlPlaneLoss`). Pure.
 *
 * - auto: the kernel lets go when the lease has run out, and the word of the voters makes it last for longer (Witness).
 * - release: the kernel lets go when the lease has run out, whatever the voters say.
 * - keep: the kernel is not asked. Two nodes may answer then, which does no harm only where a provider routes to one of them:
 *   nowhere else is it `keep`, whatever was written and whoever wrote it.
 */
import type { Address } from "./Address.ts"

export type ControlPlaneLoss = "auto" | "keep" | "release"

/** What holds where `written` stands, or nothing; `isRouted`: by a provider, to one node only. */
export const lossOf = (written: ControlPlaneLoss | undefined, isRouted: boolean): ControlPlaneLoss => {
  if (written === "release") return "release"
  return isRouted && written !== "auto" ? "keep" : "auto"
}

/** An address that a node serves, as its IPAllocation says it. */
interface Held {
  readonly address: Address
  readonly pool: string
  readonly isRouted: boolean
}

/** What the node was told of a pool. */
interface Told {
  readonly pool: string
  readonly isRouted?: boolean | undefined
  readonly onControlPlaneLoss?: ControlPlaneLoss | undefined
}

/**
 * What holds for each address. Two pools may have one name, one of a provider and one of none: an address is of the one that is
 * what its IPAllocation says. Where the node was told of no such pool it knows of none that keeps.
 */
export const lossesOf = (held: Iterable<Held>, told: ReadonlyArray<Told>): ((address: Address) => ControlPlaneLoss) => {
  const losses = new Map<Address, ControlPlaneLoss>()
  for (const { address, isRouted, pool } of held) {
    const found = told.find((each) => each.pool === pool && (each.isRouted === true) === isRouted)
    losses.set(address, lossOf(found?.onControlPlaneLoss, found?.isRouted === true))
  }
  return (address) => losses.get(address) ?? "auto"
}
