/** Time for measuring, never for comparing with another machine: monotonic, arbitrary origin, milliseconds. */
import { Clock, Effect } from "effect"

export const monotonicMillis: Effect.Effect<number> = Effect.map(Clock.monotonicTimeNanos, (nanos) =>
  Number(nanos / 1_000_000n)
)
