/**
 * Nodes that were fenced because somebody said that they are off, as a person may who is wrong: the one thing that skips the
 * silence and the voters' promises (docs/failover.md). Such a node serves on for as long as its voters keep it up.
 */
import { fenceRequested } from "../api/Names.ts"
import { isOutOfService } from "../domain/Placement.ts"
import type { GroundTruth, TruthEvent } from "./GroundTruth.ts"
import { fencedOf, holdIdOf } from "./Registrations.ts"

export const isSaidToBeOff = ({ nodeObjects }: GroundTruth, node: string): boolean =>
  isOutOfService(nodeObjects.get(node)?.spec?.taints ?? []) ||
  nodeObjects.get(node)?.metadata.annotations?.[fenceRequested] !== undefined

export class GivenUp {
  /** Those that have not registered anew since. */
  private readonly nodes = new Set<string>()

  hear(event: TruthEvent, truth: GroundTruth): void {
    if (event.type !== "Written" || event.kind !== "Lease" || event.after === undefined) return
    const { after, before } = event
    const registered = holdIdOf(after)
    if (registered === undefined) return
    const { holdId, node } = registered
    if (fencedOf(after) !== holdId) this.nodes.delete(node)
    else if (before !== undefined && fencedOf(before) !== holdId && isSaidToBeOff(truth, node)) this.nodes.add(node)
  }

  has(node: string): boolean {
    return this.nodes.has(node)
  }
}
