/**
 * Addresses that lie on a node under no IPAllocation since it went without us: a person took our finalizer off it, and so
 * the address is free while its holder has not heard of it yet.
 */
import { isOurs } from "./Actors.ts"
import { claimsOf } from "./Claims.ts"
import type { GroundTruth, TruthEvent } from "./GroundTruth.ts"

export class Disowned {
  /** By address, the nodes that held it when it was disowned, and have not lost it since. */
  private readonly holders = new Map<string, Set<string>>()

  hear(event: TruthEvent, truth: GroundTruth): void {
    if (event.type === "Placed" || event.type === "Held") this.forget(event, truth)
    if (event.type !== "Written" || event.kind !== "IPAllocation" || event.after !== undefined) return
    const { before, by } = event
    if (before === undefined || isOurs(by)) return
    for (const { address } of claimsOf(before)) {
      const nodes = [...truth.nodes.values()].filter(({ held }) => held.has(address)).map(({ name }) => name)
      this.holders.set(address, new Set([...(this.holders.get(address) ?? []), ...nodes]))
    }
  }

  /** An address that lies there no more is answered for until the kernel's next event. */
  private forget({ address, node }: { readonly address: string; readonly node: string }, truth: GroundTruth): void {
    if (truth.nodes.get(node)?.held.has(address) === true || truth.holders.get(address)?.has(node) === true) return
    this.holders.get(address)?.delete(node)
  }

  has(address: string, node: string): boolean {
    return this.holders.get(address)?.has(node) === true
  }
}
