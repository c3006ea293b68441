/**
 * For how long each NodeLease has not changed, on the counting controller's own monotonic clock; versions are told apart,
 * wall clocks and `renewTime` never read. A count may reach its limit only with a watch that works: silence of the API is
 * not silence of a node (failover, "Taking over" 1).
 *
 * - R6: due after max(own L, the duration that the lease announces).
 * - R7: L starts anew from a version newly observed, also when a compare-and-set failed.
 * - No event at all for 2p: the watch may be dead, nothing is due. After a consistent list the count of a node goes on if
 *   its version is unchanged and those of at least half of the other candidates changed (so the API took writes all along);
 *   otherwise it starts anew. What arrives late, without a list, ends no gap: the lease waited for may be next in the pipe.
 */
import { HashMap, Option } from "effect"

interface Count {
  readonly version: string
  readonly sinceMillis: number
}

type Counts = HashMap.HashMap<string, Count>

export interface LeaseCounts {
  /** p: what a candidate renews by. */
  readonly periodMillis: number
  readonly lastEventMillis: number
  /** Persistent, because every renewal of every node changes one entry. */
  readonly byNode: Counts
  /** As it was before a gap that no consistent list has closed yet. */
  readonly beforeGap: Counts | undefined
}

/** Nothing is due before the first `resume`, which the first list is. */
export const make = (periodMillis: number, nowMillis: number): LeaseCounts => ({
  periodMillis,
  lastEventMillis: nowMillis,
  byNode: HashMap.empty(),
  beforeGap: HashMap.empty()
})

/** An event of the watch, or the answer to an own write. */
export const observe = (counts: LeaseCounts, node: string, version: string, nowMillis: number): LeaseCounts => {
  const suspended = noticeGap(counts, nowMillis)
  const before = countOf(counts.byNode, node)
  const count = before?.version === version ? before : { version, sinceMillis: nowMillis }
  return { ...suspended, lastEventMillis: nowMillis, byNode: HashMap.set(counts.byNode, node, count) }
}

/** The watch is alive and says nothing of any node: a bookmark. */
export const heard = (counts: LeaseCounts, nowMillis: number): LeaseCounts => ({
  ...noticeGap(counts, nowMillis),
  lastEventMillis: nowMillis
})

/** A compare-and-set failed, or the duration that counts changed: this node's count starts at this version and now (R7). */
export const restart = (counts: LeaseCounts, node: string, version: string, nowMillis: number): LeaseCounts => ({
  ...counts,
  byNode: HashMap.set(counts.byNode, node, { version, sinceMillis: nowMillis })
})

/** Its lease is gone. A missing lease is not a dead node; the caller waits L for that, too. */
export const forget = (counts: LeaseCounts, node: string): LeaseCounts => ({
  ...counts,
  byNode: HashMap.remove(counts.byNode, node)
})

const countOf = (counts: Counts, node: string): Count | undefined => Option.getOrUndefined(HashMap.get(counts, node))

const noticeGap = (counts: LeaseCounts, nowMillis: number): LeaseCounts =>
  counts.beforeGap === undefined && isSilent(counts, nowMillis) ? { ...counts, beforeGap: counts.byNode } : counts

/** No event for 2p: list consistently, then `resume`. */
export const isSilent = ({ lastEventMillis, periodMillis }: LeaseCounts, nowMillis: number): boolean =>
  nowMillis - lastEventMillis > 2 * periodMillis

/** Whether only a consistent list can bring the counts back. */
export const needsList = (counts: LeaseCounts, nowMillis: number): boolean =>
  counts.beforeGap !== undefined || isSilent(counts, nowMillis)

export interface Listed {
  /** Of a consistent list that was *asked for* after the gap was noticed: name of the node to version. */
  readonly versions: ReadonlyMap<string, string>
  /** Nodes that renew every p: the only ones whose change proves anything. */
  readonly candidates: ReadonlySet<string>
}

export const resume = (counts: LeaseCounts, { versions, candidates }: Listed, nowMillis: number): LeaseCounts => {
  const before = needsList(counts, nowMillis) ? (counts.beforeGap ?? counts.byNode) : undefined
  const isUnchanged = (node: string): boolean =>
    before === undefined || countOf(before, node)?.version === versions.get(node)
  const changed = new Set([...candidates].filter((node) => !isUnchanged(node)))
  const isProven = (node: string): boolean =>
    before === undefined || (others(candidates, node) > 0 && 2 * others(changed, node) >= others(candidates, node))
  const byNode = [...versions].map(([node, version]): readonly [string, Count] => {
    const count = countOf(counts.byNode, node)
    const goesOn = count?.version === version && isUnchanged(node) && isProven(node)
    return [node, goesOn ? count : { version, sinceMillis: nowMillis }]
  })
  return { ...counts, lastEventMillis: nowMillis, byNode: HashMap.fromIterable(byNode), beforeGap: undefined }
}

const others = (all: ReadonlySet<string>, node: string): number => all.size - (all.has(node) ? 1 : 0)

/** How long this node's lease has not changed; nothing when it is not known. */
export const quietFor = (counts: LeaseCounts, node: string, nowMillis: number): number | undefined => {
  const count = countOf(counts.byNode, node)
  return count === undefined ? undefined : nowMillis - count.sinceMillis
}

export interface Limits {
  /** L of the controller's own profile. */
  readonly ownMillis: number
  /** What the lease of this version announces. */
  readonly announcedMillis: number
}

/** Whether the node's lease may be fenced (after promises). */
export const isDue = (
  counts: LeaseCounts,
  node: string,
  { ownMillis, announcedMillis }: Limits,
  nowMillis: number
): boolean => {
  const quiet = quietFor(counts, node, nowMillis)
  return !needsList(counts, nowMillis) && quiet !== undefined && quiet >= Math.max(ownMillis, announcedMillis)
}
