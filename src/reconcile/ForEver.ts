/** Loops that stay as long as their scope: nobody waits for their end, so that one which a bug ended would be missed by nobody. */
import { Cause, Effect, type Fiber, type Scope } from "effect"

/** After a defect: what met it once would meet it again at once. */
const REST_MILLIS = 1_000

/** One turn after the other. A defect is logged as one in `name`, and costs that turn only. */
export const forkForEver = <A, R>(
  name: string,
  turn: Effect.Effect<A, never, R>,
  options?: { readonly disableYield?: boolean }
): Effect.Effect<Fiber.Fiber<never>, never, R | Scope.Scope> =>
  turn.pipe(
    Effect.asVoid,
    Effect.catchDefect((defect) =>
      Effect.andThen(Effect.logError(`defect in ${name}`, Cause.die(defect)), Effect.sleep(REST_MILLIS))
    ),
    Effect.forever(options),
    Effect.forkScoped
  )
