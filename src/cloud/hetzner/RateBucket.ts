/**
 * The project's budget of requests: 3600 an hour unless the headers say otherwise, refilled all the time, shared with every
 * other client of the project (cloud-controller-manager, CSI, Terraform), failed authentication included. What is left is
 * estimated between replies and corrected by each.
 */
import type { Priority } from "../../ports/Cloud.ts"

const limitDefault = 3_600
const hourMillis = 3_600_000
/**
 * Refused without a word of what is left: how long at most the first pause is; doubled with each refusal after it. One request
 * in ten seconds is a tenth of what a project is given, and the pause holds up what was served on a node that died.
 */
const pauseMillisFirst = 2_000
const pauseMillisMax = 10_000

/** The part of the budget that must stay for those who may wait less. */
const reserve: { readonly [P in Priority]: number } = { failover: 0, normal: 0.1, background: 0.5 }

export class RateBucket {
  private limit = limitDefault
  private tokens = limitDefault
  private atMillis: number
  private closedUntilMillis = 0
  /** Such refusals since something was answered. */
  private refusalsCount = 0

  constructor(nowMillis: number) {
    this.atMillis = nowMillis
  }

  /** Milliseconds until a request of this priority may be sent; 0: now. */
  waitMillis(priority: Priority, nowMillis: number): number {
    this.refill(nowMillis)
    const lacking = Math.floor(this.limit * reserve[priority]) + 1 - this.tokens
    const waitMillis = lacking <= 0 ? 0 : Math.ceil((lacking * hourMillis) / this.limit)
    return Math.max(waitMillis, this.closedUntilMillis - nowMillis)
  }

  take(): void {
    this.tokens = Math.max(0, this.tokens - 1)
  }

  /** What a reply said, while `inFlight` other requests may not have been counted yet. */
  correct(limit: number, remaining: number, inFlight: number, nowMillis: number): void {
    this.refill(nowMillis)
    this.limit = Math.max(1, limit)
    this.tokens = Math.min(this.limit, Math.max(0, remaining - inFlight))
  }

  /**
   * Refused for rate: others were quicker, so nothing is sent before another request is due. What is left is what the refusal
   * says; taken for nothing, a single one would stop all but failover until the reserve is there again, six minutes.
   */
  refuse(remaining: number, nowMillis: number): void {
    this.refill(nowMillis)
    this.tokens = Math.min(this.limit, Math.max(0, remaining))
    this.pause(Math.ceil(hourMillis / this.limit), nowMillis)
  }

  /**
   * Refused, and not said by how much: by an edge perhaps, which counts otherwise. What is left is not known, so the estimate
   * stays, and only time is given. `random` in [0, 1) is full jitter, as others that share the budget were refused, too.
   */
  refuseUnsaid(random: number, nowMillis: number): void {
    // What was sent beside the one that was refused says no more than that one.
    if (nowMillis < this.closedUntilMillis) return
    this.refusalsCount++
    const longestMillis = Math.min(pauseMillisMax, pauseMillisFirst * 2 ** Math.min(this.refusalsCount - 1, 10))
    this.pause(Math.max(Math.ceil(hourMillis / this.limit), Math.ceil(longestMillis * random)), nowMillis)
  }

  /** Nothing is sent for so long. */
  pause(millis: number, nowMillis: number): void {
    this.closedUntilMillis = Math.max(this.closedUntilMillis, nowMillis + millis)
  }

  /** Something was let through. */
  accept(): void {
    this.refusalsCount = 0
  }

  private refill(nowMillis: number): void {
    const elapsedMillis = Math.max(0, nowMillis - this.atMillis)
    this.atMillis = nowMillis
    this.tokens = Math.min(this.limit, this.tokens + (elapsedMillis * this.limit) / hourMillis)
  }
}
