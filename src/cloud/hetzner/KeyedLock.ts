/** One at a time for each key; different keys side by side. Keys are taken in one order, so that nobody waits in a circle. */
import { Effect, Semaphore } from "effect"

interface Lock {
  readonly semaphore: Semaphore.Semaphore
  usersCount: number
}

export class KeyedLock {
  private readonly locks = new Map<string, Lock>()

  /** Runs it while it has all of these keys. */
  holding<A, E, R>(keys: ReadonlyArray<string>, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return [...new Set(keys)].toSorted().reduceRight((inner, key) => this.with(key, inner), effect)
  }

  private with<A, E, R>(key: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      const lock = this.locks.get(key) ?? { semaphore: Semaphore.makeUnsafe(1), usersCount: 0 }
      this.locks.set(key, lock)
      lock.usersCount++
      return Effect.ensuring(
        Semaphore.withPermit(lock.semaphore, effect),
        Effect.sync(() => {
          if (--lock.usersCount === 0) this.locks.delete(key)
        })
      )
    })
  }
}
