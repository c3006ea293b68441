/** What the story says will happen, and whether it did. The first thing that did not ends the story. */
import { Data, Effect } from "effect"
import { monotonicMillis } from "../../reconcile/Monotonic.ts"

export class NotAsTold extends Data.TaggedError("NotAsTold")<{ readonly message: string }> {}

export interface Expectation {
  readonly says: string
  readonly held: boolean
}

/** A wait looks this often: half of what a person would notice. */
const LOOK_MILLIS = 20
/** No wait of the story takes longer than a takeover; twice the longest of them is a story that goes wrong. */
const PATIENCE_MILLIS = 30_000

export class Expectations {
  readonly all: Array<Expectation> = []

  /** Holds now. */
  check(says: string, held: boolean): Effect.Effect<void, NotAsTold> {
    return Effect.suspend(() => {
      this.all.push({ says, held })
      return held ? Effect.void : Effect.fail(new NotAsTold({ message: `this did not hold: ${says}` }))
    })
  }

  /** Holds at some time soon; `meanwhile` runs at every look. */
  until(
    says: string,
    holds: Effect.Effect<boolean>,
    meanwhile: Effect.Effect<void> = Effect.void
  ): Effect.Effect<void, NotAsTold> {
    const { all } = this
    return Effect.gen(function* () {
      const startedAt = yield* monotonicMillis
      while (!(yield* holds)) {
        if ((yield* monotonicMillis) - startedAt > PATIENCE_MILLIS) {
          all.push({ says, held: false })
          return yield* new NotAsTold({ message: `this did not come within ${PATIENCE_MILLIS / 1000} s: ${says}` })
        }
        yield* meanwhile
        yield* Effect.sleep(LOOK_MILLIS)
      }
      all.push({ says, held: true })
    })
  }
}
