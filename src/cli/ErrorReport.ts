/** The end of a process: an expected error is one sentence, a bug is its whole cause. The exit code is 1 for both, 2 for wrong arguments. */
import { Cause, Data, Effect, Predicate, Runtime } from "effect"
import { CliError } from "effect/cli"

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const isReported = (error: unknown): boolean =>
  Predicate.hasProperty(error, Runtime.errorReported) && error[Runtime.errorReported] === true

export const reportFailure = <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tapCause(program, (cause) => {
    if (Cause.hasInterruptsOnly(cause)) return Effect.void
    const failure = Cause.findErrorOption(cause)
    if (failure._tag === "Some" && isReported(failure.value)) return Effect.void
    return failure._tag === "Some" && !Cause.hasDies(cause)
      ? Effect.logFatal(sentence(failure.value))
      : Effect.logFatal("bug", cause)
  })

/** Printed already, with the help, hence not reported again. */
export class WrongArguments extends Data.TaggedError("WrongArguments") {
  override readonly [Runtime.errorReported] = true
  override readonly [Runtime.errorExitCode] = 2
}

const isRefusedArgument = (error: unknown): boolean =>
  CliError.isCliError(error) && (error._tag !== "ShowHelp" || error.errors.length > 0)

/** For a whole command: arguments that it refused end the process with 2, as is usual. */
export const withUsageExitCode = <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A, E | WrongArguments, R> =>
  Effect.mapError(program, (error) => (isRefusedArgument(error) ? new WrongArguments() : error))
