/** Time for measuring, never for comparing with another machine: monotonic, arbitrary origin, milliseconds. */
import { Clock, Effect } from "effect"

export const monotonicMillis: Effect.Effect<number> = Clock.clockWith((clock) =>
  Effect.succeed(Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n))
)
