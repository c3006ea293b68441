/** Runs a test's program to its end in one synchronous call, in virtual time, the same in every run. */
import { Cause, Effect, Exit, Random, References, type Scope } from "effect"
import { runVirtually } from "../conformance/kubernetes/VirtualTime.ts"

export const virtually = <A, E>(program: Effect.Effect<A, E, Scope.Scope>, seed = "unit"): A => {
  const quiet = Effect.provideService(Effect.scoped(program), References.MinimumLogLevel, "None")
  const exit = runVirtually(Random.withSeed(quiet, seed))
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.squash(exit.cause)
}
