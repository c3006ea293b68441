/**
 * Addresses that were bought by this cluster for a claim that is no more: what a lost reply or a hand that took a finalizer
 * off may leave, and what costs money until somebody looks. And users' own that are labelled for one. They are told first,
 * and given back once they have been seen so for long enough that no purchase or watch can be behind it.
 */
import { labelNames } from "../../domain/CloudClaim.ts"
import type { PoolRef } from "../../domain/Pool.ts"
import type { CloudAddress } from "../../ports/Cloud.ts"
import type { CloudBook } from "./CloudBook.ts"

/** How often it must be seen, and how long after each other two sights count. */
const sightsMin = 10
const sightEveryMillis = 55_000
/** What was seen before that may have been in use since, while another led or the project could not be read. */
const sightForgottenMillis = 600_000

interface Sights {
  readonly count: number
  readonly lastMillis: number
}

export class OrphanSweep {
  private readonly sights = new Map<string, Sights>()
  private readonly book: CloudBook

  constructor(book: CloudBook) {
    this.book = book
  }

  /** In the project of this pool, now. */
  orphansOf(pool: PoolRef): ReadonlyArray<CloudAddress> {
    return this.book
      .labelledIn(pool)
      .filter(({ labels }) => this.book.holderOf(labels[labelNames.claim] ?? "") === undefined)
  }

  /** Counts what is seen, and answers what is due to be given back. */
  look(pool: PoolRef, nowMillis: number): ReadonlyArray<CloudAddress> {
    const orphans = this.orphansOf(pool)
    for (const { id } of this.book.labelledIn(pool)) if (!orphans.some((each) => each.id === id)) this.sights.delete(id)
    for (const { id } of orphans) this.see(id, nowMillis)
    return orphans.filter(({ id }) => (this.sights.get(id)?.count ?? 0) >= sightsMin)
  }

  /** Two pools may look at one project within a moment: that is one sight. */
  private see(id: string, nowMillis: number): void {
    const { count, lastMillis } = this.sights.get(id) ?? { count: 0, lastMillis: Number.NEGATIVE_INFINITY }
    const sinceMillis = nowMillis - lastMillis
    if (sinceMillis < sightEveryMillis) return
    this.sights.set(id, { count: sinceMillis < sightForgottenMillis ? count + 1 : 1, lastMillis: nowMillis })
  }
}
