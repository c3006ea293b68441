/** One JSON object a line on standard output, from the level that `LOG_LEVEL` names; a wrong name is refused elsewhere. */
import { Effect, Layer, Logger, References } from "effect"
import type { LogLevel } from "effect"

export const layer = <E>(level: Effect.Effect<LogLevel.LogLevel, E>): Layer.Layer<never> =>
  Layer.unwrap(
    Effect.map(
      Effect.orElseSucceed(level, (): LogLevel.LogLevel => "Info"),
      (minimum) =>
        Layer.mergeAll(Logger.layer([Logger.consoleJson]), Layer.succeed(References.MinimumLogLevel, minimum))
    )
  )
