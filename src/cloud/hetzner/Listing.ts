/**
 * One list of the project's resources, read when somebody needs one that young, by one request for all who ask. What was
 * read or written singly since is in it, also when the list was on its way by then, or tells what was a moment before.
 */
import { Effect, Semaphore } from "effect"
import { readLagMillis } from "../../ports/Cloud.ts"
import { monotonicMillis } from "../../reconcile/Monotonic.ts"

interface Seen<A> {
  /** Undefined: it is gone. */
  readonly item: A | undefined
  readonly atMillis: number
}

export class Listing<A extends { readonly id: string }, E> {
  private items = new Map<string, A>()
  private atMillis = Number.NEGATIVE_INFINITY
  private readonly seen = new Map<string, Seen<A>>()
  private readonly one = Semaphore.makeUnsafe(1)
  private readonly read: Effect.Effect<ReadonlyArray<A>, E>

  constructor(read: Effect.Effect<ReadonlyArray<A>, E>) {
    this.read = read
  }

  /** At most this old, counted from when it was asked for. */
  get(maxAgeMillis: number): Effect.Effect<ReadonlyArray<A>, E> {
    return Effect.flatMap(monotonicMillis, (askedMillis) => {
      const isYoung = () => this.atMillis >= askedMillis - maxAgeMillis
      const young = Effect.suspend(() => (isYoung() ? Effect.succeed(this.all()) : this.renew()))
      // Who is content with what is here does not wait for one that is on its way: that may take minutes for its turn.
      return isYoung() ? Effect.succeed(this.all()) : Semaphore.withPermit(this.one, young)
    })
  }

  readonly absorb = (item: A): Effect.Effect<A> => Effect.as(this.note(item.id, item), item)

  readonly drop = (id: string): Effect.Effect<void> => this.note(id, undefined)

  private all(): ReadonlyArray<A> {
    return [...this.items.values()]
  }

  private renew(): Effect.Effect<ReadonlyArray<A>, E> {
    return Effect.flatMap(monotonicMillis, (sentMillis) =>
      Effect.map(this.read, (list) => {
        this.items = new Map(list.map((item) => [item.id, item]))
        this.atMillis = sentMillis
        for (const [id, { atMillis, item }] of this.seen) {
          if (atMillis < sentMillis - readLagMillis) this.seen.delete(id)
          else this.put(id, item)
        }
        return this.all()
      })
    )
  }

  private note(id: string, item: A | undefined): Effect.Effect<void> {
    return Effect.map(monotonicMillis, (atMillis) => {
      this.seen.set(id, { item, atMillis })
      this.put(id, item)
    })
  }

  private put(id: string, item: A | undefined): void {
    if (item === undefined) this.items.delete(id)
    else this.items.set(id, item)
  }
}
