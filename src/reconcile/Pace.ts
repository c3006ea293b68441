/**
 * Lets each key act a few times at once, and then only now and then (GCRA, ITU-T I.371): two who undo what the other does, for as
 * long as they see things differently, go on at this pace and not at that of the API server.
 */
export interface PaceOptions {
  readonly burst: number
  /** Between two of what follows a burst. */
  readonly intervalMillis: number
}

/**
 * Whoever undoes a change (another controller that writes the same status, a policy that takes labels off) would have it made
 * again as fast as the API server answers. Of one object, and of the very same change, so that nothing else waits for it.
 */
export const repeatingPace: PaceOptions = { burst: 20, intervalMillis: 5_000 }

export class Pace {
  /** By key, when all that it did will be made up for. Those that acted long ago come first, and are forgotten by then. */
  private readonly madeUpMillis = new Map<string, number>()
  private readonly options: PaceOptions

  constructor(options: PaceOptions) {
    this.options = options
  }

  /** 0: it acts now. More: it may in so many ms, and has not acted. */
  take(key: string, nowMillis: number): number {
    const { burst, intervalMillis } = this.options
    this.forget(nowMillis)
    const madeUpMillis = Math.max(nowMillis, this.madeUpMillis.get(key) ?? nowMillis)
    const waitMillis = madeUpMillis - (burst - 1) * intervalMillis - nowMillis
    if (waitMillis > 0) return waitMillis
    this.madeUpMillis.delete(key)
    this.madeUpMillis.set(key, madeUpMillis + intervalMillis)
    return 0
  }

  private forget(nowMillis: number): void {
    for (const [key, madeUpMillis] of this.madeUpMillis) {
      if (madeUpMillis > nowMillis) return
      this.madeUpMillis.delete(key)
    }
  }
}
