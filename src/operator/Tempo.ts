/**
 * How often this node renews. Who holds something, or is named by the leader, does so every p; others seldom, and announce
 * for how long nobody may conclude from their silence (failover, "Candidates"). Longer is announced before it is used (R11).
 * Shorter may be announced at any time: an idle node has nothing armed, and never arms for longer than X.
 */
import { Effect } from "effect"
import { type FailoverTimes, idleTimes } from "../domain/FailoverTimes.ts"
import type * as Signal from "../reconcile/Signal.ts"

/** For as long as others keep the seat of a voter that the leader names no more (Seats). */
const IDLE_AFTER_MILLIS = 60_000

export class Tempo {
  /** What the next write says: it need not be acknowledged yet. */
  saysIdle = false
  /** Others may have been told to expect renewals seldom; until one that says otherwise is acknowledged. */
  isIdle = false
  private readonly times: FailoverTimes
  private readonly idle: ReturnType<typeof idleTimes>
  private readonly isNeeded: () => boolean
  private readonly changed: Signal.Signal
  private neededMillis: number

  /** `changed` is given whenever `isNeeded` may have become true. */
  constructor(times: FailoverTimes, isNeeded: () => boolean, changed: Signal.Signal, nowMillis: number) {
    this.times = times
    this.idle = idleTimes(times)
    this.isNeeded = isNeeded
    this.changed = changed
    this.neededMillis = nowMillis
  }

  /** Of the write that is about to be sent; undefined: what this process always announces. */
  durationForWrite(nowMillis: number): number | undefined {
    if (this.isNeeded()) this.neededMillis = nowMillis
    this.saysIdle = nowMillis - this.neededMillis >= IDLE_AFTER_MILLIS
    if (this.saysIdle) this.isIdle = true
    return this.saysIdle ? this.idle.quietMillis : undefined
  }

  /** After that write has succeeded. True: from now on this node is one of those that renew every p. */
  acknowledged(): boolean {
    const begins = this.isIdle && !this.saysIdle
    this.isIdle = this.saysIdle
    return begins
  }

  /** Between two renewals, as others expect them. */
  periodMillis(): number {
    return this.isIdle ? this.idle.renewMillis : this.times.renewMillis
  }

  /** After one that failed. A thousand idle nodes must not ask thrice a second for an API that is away. */
  retryMillis(): number {
    return Math.ceil(this.periodMillis() / (this.isIdle ? 10 : 3))
  }

  /** An idle node that is needed rests no longer. */
  rest(millis: number): Effect.Effect<void> {
    if (!this.isIdle) return Effect.sleep(millis)
    const needed = this.changed.wait.pipe(Effect.repeat({ until: () => this.isNeeded() }))
    return Effect.raceFirst(Effect.sleep(millis), needed)
  }
}
