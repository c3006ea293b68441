/**
 * Takeovers that are not reported yet. Their reports wait for nothing, and nobody waits for them: written at once, those
 * of the first addresses of a dead node hold up the API server while the controller gives it the last ones.
 */

/** After the newest takeover. */
const QUIET_MILLIS = 300

/** After the oldest one: a node that takes over without end says so all the same. */
const PATIENCE_MILLIS = 1_500

export class Untold {
  /** By the uid of the IPAllocation. */
  private sinceMillis = new Map<string | undefined, number>()

  /** How long these, which are all that there are, are to wait; 0: they are to be told, and are not noted any more. */
  restMillis(uids: Iterable<string | undefined>, nowMillis: number): number {
    const known = this.sinceMillis
    this.sinceMillis = new Map(Array.from(uids, (uid) => [uid, known.get(uid) ?? nowMillis]))
    if (this.sinceMillis.size === 0) return 0
    const since = [...this.sinceMillis.values()]
    const newest = since.reduce((one, other) => Math.max(one, other))
    const oldest = since.reduce((one, other) => Math.min(one, other))
    const restMillis = Math.min(newest + QUIET_MILLIS, oldest + PATIENCE_MILLIS) - nowMillis
    if (restMillis > 0) return restMillis
    this.sinceMillis.clear()
    return 0
  }
}
