/**
 * A bearer token that somebody else replaces under our feet: the kubelet rewrites the projected service account token
 * when 80 % of its life (an hour by default) has passed. It is read again once a minute, and at once after the API
 * server refused it.
 *
 * A failed re-read is never remembered: while the kubelet swaps the directory a read may find nothing, and a cached
 * ENOENT would fail every request of the next minute. The old token stays in use meanwhile; it is valid for long yet.
 */
import { Clock, Effect, Redacted } from "effect"
import type { ClusterAccessError } from "./ClusterAccess.ts"

export interface TokenSource {
  readonly current: Effect.Effect<Redacted.Redacted, ClusterAccessError>
  /** The API server refused this token: the next `current` reads anew, unless it was replaced already. */
  readonly refused: (token: Redacted.Redacted) => Effect.Effect<void>
}

const rereadAfterNanos = 60_000_000_000n

interface Cached {
  readonly token: Redacted.Redacted
  readonly readAtNanos: bigint
  /** Refused by the server; used only while no other can be read. */
  readonly stale: boolean
}

export const make = (read: Effect.Effect<string, ClusterAccessError>): TokenSource => {
  let cached: Cached | undefined

  const reread = Effect.gen(function* () {
    const token = Redacted.make((yield* read).trim())
    cached = { token, readAtNanos: yield* Clock.monotonicTimeNanos, stale: false }
    return token
  })

  const current = Effect.gen(function* () {
    const before = cached
    if (before === undefined) return yield* reread
    const age = (yield* Clock.monotonicTimeNanos) - before.readAtNanos
    if (!before.stale && age < rereadAfterNanos) return before.token
    return yield* Effect.orElseSucceed(reread, () => before.token)
  })

  const refused = (token: Redacted.Redacted) =>
    Effect.sync(() => {
      if (cached?.token === token) cached = { ...cached, stale: true }
    })

  return { current, refused }
}
