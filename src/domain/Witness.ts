/**
 * What happens to a node's addresses when the control plane is away, decided by arithmetic over its *voters*, a list that
 * stands in its NodeLease and holds the node itself.
 *
 * - Evidence: a node that cannot renew goes on serving while, with itself, a strict majority of the list has lost the
 *   control plane, too. Of n voters that takes floor(n/2) others.
 * - Promises: a leader fences only when at least half of the list's length, others than the node, say that they have not
 *   vouched for it for V. Of n voters that takes ceil(n/2) others.
 *
 * Both draw on the same n - 1 others, and floor(n/2) + ceil(n/2) = n: they share one, who cannot have said both. So "kept"
 * and "taken over" are never true together (R12). Heads are counted against the list's length and never against who happens
 * to answer; and a list of one is never taken over, since nobody could tell.
 *
 * A promise is not an instant: voters are asked one after the other, and one may vouch while another is still being asked.
 * Hence the second round: whoever promised says that it has not vouched *since its answer*, as the same process. When the
 * last of the first answers was given, every extension that rests on a voter of this quorum had run out, and what ran out is
 * never extended. Without it, or with V shorter than the lease, two holders were found by exhaustive search.
 */

/** Itself first. Empty: neither evidence nor promises, as with v0.4 or `witness: off`. */
export type Voters = ReadonlyArray<string>

/** Whether with the node itself a strict majority of the list says so. */
const isMajority = (voters: Voters, vouching: ReadonlySet<string>): boolean =>
  2 * voters.filter((voter) => vouching.has(voter)).length > voters.length

/**
 * Whether what has not run out may be extended. While a write that changes the list is unacknowledged, nobody knows which
 * list stands in the lease: all that may must agree.
 */
export const isKept = (lists: ReadonlyArray<Voters>, vouching: ReadonlySet<string>): boolean =>
  lists.length > 0 && lists.every((voters) => isMajority(voters, vouching))

/** How many others must promise before a node with this list may be fenced; 0: nobody need be asked. */
export const promisesNeeded = (voters: Voters): number => Math.ceil(voters.length / 2)

/** Whether at least half of the list's length, others than the node, promised. */
export const isPromised = (voters: Voters, node: string, promising: ReadonlySet<string>): boolean =>
  voters.filter((voter) => voter !== node && promising.has(voter)).length >= promisesNeeded(voters)

/** V: for how long a voter must not have vouched. L of the leader, or what the lease announces when that is longer. */
export const silenceMillis = (ownMillis: number, announcedMillis: number): number =>
  Math.max(ownMillis, announcedMillis)

/** What a voter remembers: when it last vouched for each hold id, on its own monotonic clock. */
export interface Memory {
  /** Before it nothing is remembered: a voter counts as having vouched for every node when it started. */
  readonly startedMillis: number
  readonly vouchedMillis: ReadonlyMap<string, number>
  /** Hold ids for which a promise was confirmed. */
  readonly given: ReadonlySet<string>
}

export const newMemory = (startedMillis: number): Memory => ({
  startedMillis,
  vouchedMillis: new Map(),
  given: new Set()
})

/**
 * Whoever has confirmed a promise never vouches for that hold id again: it may have been taken over. By its own clock a node
 * whose machine stood still does not know that, and would find its leases unexpired. After promises of a quorum too few
 * others are left for a majority.
 */
export const mayVouch = ({ given }: Memory, holdId: string): boolean => !given.has(holdId)

export const give = (memory: Memory, holdId: string): Memory => ({
  ...memory,
  given: new Set([...memory.given, holdId])
})

/** For longer than any V: what is older may be forgotten. A handover announces a minute. */
const KEPT_MILLIS = 600_000

export const vouch = (memory: Memory, holdId: string, nowMillis: number): Memory => {
  const recent = [...memory.vouchedMillis].filter(([, atMillis]) => nowMillis - atMillis <= KEPT_MILLIS)
  return { ...memory, vouchedMillis: new Map([...recent, [holdId, nowMillis]]) }
}

const lastVouchedMillis = ({ startedMillis, vouchedMillis }: Memory, holdId: string): number =>
  vouchedMillis.get(holdId) ?? startedMillis

/** First round. No for a V that is longer than what is remembered. */
export const hasNotVouchedFor = (memory: Memory, holdId: string, withinMillis: number, nowMillis: number): boolean =>
  withinMillis <= KEPT_MILLIS && nowMillis - lastVouchedMillis(memory, holdId) >= withinMillis

/** Confirming round, asked of the same process. In one millisecond the order of two answers is not known: then no. */
export const hasNotVouchedSince = (memory: Memory, holdId: string, sinceMillis: number): boolean =>
  lastVouchedMillis(memory, holdId) < sinceMillis
