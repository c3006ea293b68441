/** What was asked for last of each floating IP, while a read may still show what was before it. */
import { Effect } from "effect"
import * as Cloud from "../../ports/Cloud.ts"
import { monotonicMillis } from "../../reconcile/Monotonic.ts"

/** `undefined`: none. */
export type Wanted = string | undefined

export class Asked {
  private readonly byId = new Map<string, { readonly wanted: Wanted; readonly atMillis: number }>()

  /** Asks for it. What is refused has changed nothing; whatever else becomes of it may have. */
  asking<A>(
    id: string,
    wanted: Wanted,
    operation: Effect.Effect<A, Cloud.CloudError>
  ): Effect.Effect<A, Cloud.CloudError> {
    return Effect.matchEffect(operation, {
      onSuccess: (outcome) => Effect.as(this.note(id, wanted), outcome),
      onFailure: (error) =>
        Effect.andThen(error.category === "ambiguous" ? this.note(id, wanted) : Effect.void, Effect.fail(error))
    }).pipe(Effect.onInterrupt(() => this.note(id, wanted)))
  }

  /** For so many ms a read that has it so may be of before something else was asked for; 0: it is not. */
  pastMillis(id: string, found: Wanted): Effect.Effect<number> {
    return Effect.map(monotonicMillis, (nowMillis) => {
      const last = this.byId.get(id)
      if (last === undefined || last.wanted === found) return 0
      return Math.max(0, last.atMillis + Cloud.readLagMillis - nowMillis)
    })
  }

  private note(id: string, wanted: Wanted): Effect.Effect<void> {
    return Effect.map(monotonicMillis, (nowMillis) => {
      for (const [other, { atMillis }] of this.byId) {
        if (nowMillis - atMillis >= Cloud.readLagMillis) this.byId.delete(other)
      }
      this.byId.set(id, { wanted, atMillis: nowMillis })
    })
  }
}
