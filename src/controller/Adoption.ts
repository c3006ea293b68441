/**
 * The IPAllocations that do not carry our labels yet: after an upgrade those of v0.4. An operator finds what its node
 * holds by these labels, and at its start takes off the node what it did not find: so operators are deployed when the
 * last one is labelled.
 *
 * What cannot be labelled (its write is refused for ever, its Service cannot be read) must not hold up the others: after
 * a while without any progress the operators come without it, and the log names it.
 */
import { dueLabelsOf, hasLabels, type IsFenced } from "../api/AllocationEntries.ts"
import type { IPAllocation } from "../api/IPAllocation.ts"

/** Longer than a write that failed for a passing reason (transient) waits for its next try. */
const PATIENCE_MILLIS = 60_000

const isUnlabelled = (allocation: IPAllocation, isFenced: IsFenced): boolean =>
  allocation.metadata.deletionTimestamp === undefined && !hasLabels(allocation, dueLabelsOf(allocation, isFenced))

export class Adoption {
  private readonly keys = new Set<string>()
  /** When somebody began to wait, or the last progress since; a replica that only follows can make none. */
  private sinceMillis: number | undefined
  private readonly isFenced: IsFenced

  constructor(isFenced: IsFenced) {
    this.isFenced = isFenced
  }

  /** True: that was the last one. */
  onAllocation(key: string, after: IPAllocation | undefined, nowMillis: number): boolean {
    if (after !== undefined && isUnlabelled(after, this.isFenced)) {
      this.keys.add(key)
      return false
    }
    if (!this.keys.delete(key)) return false
    if (this.sinceMillis !== undefined) this.sinceMillis = nowMillis
    return this.keys.size === 0
  }

  /** How long to wait before looking again, if nothing happens until then; 0: not at all. */
  millisToWait(nowMillis: number): number {
    if (this.keys.size === 0) {
      this.sinceMillis = undefined
      return 0
    }
    this.sinceMillis ??= nowMillis
    return Math.max(0, this.sinceMillis + PATIENCE_MILLIS - nowMillis)
  }

  pending(): ReadonlyArray<string> {
    return [...this.keys]
  }
}
