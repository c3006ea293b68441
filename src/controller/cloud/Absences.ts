/**
 * When what is to be given back is known to be gone. Two reads must have missed it, with the time between them that a read may lag
 * behind: by a single one, what was bought a moment before would be left behind, and be paid for.
 */
import { readLagMillis } from "../../ports/Cloud.ts"

export class Absences {
  /** By what is missed, when a read missed it first. */
  private readonly missed = new Map<string, number>()

  /** For so many ms another read proves nothing; 0: it is gone. */
  miss(what: string, nowMillis: number): number {
    const since = this.missed.get(what) ?? nowMillis
    const leftMillis = Math.max(0, since + readLagMillis - nowMillis)
    if (leftMillis === 0) this.missed.delete(what)
    else this.missed.set(what, since)
    return leftMillis
  }

  find(what: string): void {
    this.missed.delete(what)
  }

  /** Another has led since, and may have bought. */
  clear(): void {
    this.missed.clear()
  }
}
