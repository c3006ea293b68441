/**
 * Which server of its provider this machine is, as the provider tells the machine itself: said in the NodeLease, for nodes
 * whose Node says nothing of it. A machine never becomes another, so who has answered is asked no more.
 */
import { Effect } from "effect"
import type { Scope } from "effect"

/** How soon a first pool of a cloud is noticed. */
const lookMillis = 2_000
/** Where nobody answered. */
const againMillis = 60_000

export const follow = Effect.fnUntraced(function* (
  ask: Effect.Effect<string | undefined>,
  isWanted: () => boolean
): Effect.fn.Return<() => string | undefined, never, Scope.Scope> {
  let instanceId: string | undefined
  const look = Effect.gen(function* () {
    if (!isWanted()) return yield* Effect.sleep(lookMillis)
    instanceId = yield* ask
    if (instanceId === undefined) yield* Effect.sleep(againMillis)
  })
  yield* look.pipe(Effect.repeat({ until: () => instanceId !== undefined }), Effect.forkScoped)
  return () => instanceId
})
