/** Times as the API writes them (RFC 3339, UTC). For people to read: no decision compares them between machines. */
import { Clock, DateTime, Effect } from "effect"

const iso = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))

/** metav1.Time: whole seconds. */
export const now: Effect.Effect<string> = Effect.map(Clock.currentTimeMillis, (millis) =>
  iso(Math.floor(millis / 1000) * 1000).replace(".000Z", "Z")
)

/** metav1.MicroTime: exactly six decimals, anything else is refused. */
export const nowMicro: Effect.Effect<string> = Effect.map(Clock.currentTimeMillis, (millis) =>
  iso(millis).replace("Z", "000Z")
)
