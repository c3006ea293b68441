/**
 * The writes of this process on its NodeLease: each has an id, which stands in the lease, so that one whose answer was lost is
 * recognised when it is read back, and dated by its own sending (R3). A write that is sent once more is the same attempt.
 */
export interface Attempt {
  readonly id: number
  /** Monotonic; when it was first sent. */
  readonly sentAtMillis: number
}

/** What stands in the lease is the last that was acted on: older ones than so many cannot be any more. */
const REMEMBERED_MAX = 100

export class Attempts {
  private lastId = 0
  private readonly sentAtMillis = new Map<number, number>()

  begin(nowMillis: number): Attempt {
    const id = ++this.lastId
    this.sentAtMillis.set(id, nowMillis)
    this.sentAtMillis.delete(id - REMEMBERED_MAX)
    return { id, sentAtMillis: nowMillis }
  }

  /** Undefined: none of this process, or too old. */
  sentAt(id: number): number | undefined {
    return this.sentAtMillis.get(id)
  }
}
