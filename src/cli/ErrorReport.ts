/** The end of a process: an expected error is one sentence, a bug is its whole cause. The exit code is 1 for both. */
import { Cause, Effect } from "effect"

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export const reportFailure = <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tapCause(program, (cause) => {
    if (Cause.hasInterruptsOnly(cause)) return Effect.void
    const failure = Cause.findErrorOption(cause)
    return failure._tag === "Some" && !Cause.hasDies(cause)
      ? Effect.logFatal(sentence(failure.value))
      : Effect.logFatal("bug", cause)
  })
