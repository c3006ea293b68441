/**
 * The end of an operator in peace. One that is replaced hands its node over: it announces that nobody may take the node's
 * addresses for a while, then lets the kernel serve for that long without it, and the next process takes over in place
 * (failover R11). One whose node goes down gives everything back first, so that the next holder need not wait for a silence.
 */
import { Effect, Fiber } from "effect"
import { handover } from "../domain/FailoverTimes.ts"
import type { Kubernetes } from "../ports/Kubernetes.ts"
import { type Parts, RETRY_MILLIS } from "./Parts.ts"
import * as Registration from "./Registration.ts"
import { letGo } from "./Renewing.ts"

/** A Pod gets 20 s in our chart; whoever cannot be reached in this time is not, and the lease in the kernel runs out. */
const PATIENCE_MILLIS = 8_000
const PAUSE_MILLIS = 100

/** Once more for each version that came between: what a controller wrote, or a renewal whose answer was lost. */
const renewed = (
  parts: Parts,
  renewing: Pick<Registration.Renewing, "durationMillis" | "released">
): Effect.Effect<number | undefined, never, Kubernetes> =>
  Effect.gen(function* () {
    const { attendance, identity, keeper, state } = parts
    if (state.registered === undefined) return undefined
    const witness = yield* attendance.forWrite
    const renewal = yield* Registration.renew(identity, state.registered, {
      interfaces: keeper.interfaces(),
      macs: keeper.macs(),
      witness,
      ...renewing
    })
    if (renewal._tag === "Fenced") return undefined
    state.registered = renewal.registered
    return renewal._tag === "Renewed" ? renewal.sentAtMillis : yield* renewed(parts, renewing)
  }).pipe(
    Effect.timeout(RETRY_MILLIS),
    Effect.catchTags({
      Superseded: () => Effect.succeed(undefined),
      Displaced: () => Effect.succeed(undefined)
    }),
    Effect.catch((error) =>
      Effect.logWarning("node lease not renewed").pipe(
        Effect.annotateLogs({ error: error.message }),
        Effect.andThen(Effect.sleep(PAUSE_MILLIS)),
        Effect.andThen(Effect.suspend(() => renewed(parts, renewing)))
      )
    )
  )

/** The kernel is told only of what was announced: others wait for longer than it serves. */
const handOver = Effect.fnUntraced(function* (parts: Parts) {
  const sentAtMillis = yield* renewed(parts, { durationMillis: handover.quietMillis })
  if (sentAtMillis === undefined) return
  parts.state.renewedAtMillis = sentAtMillis
  parts.state.serveMillis = handover.serveMillis
  yield* parts.fence.renew
  yield* Effect.logInfo("handed over").pipe(Effect.annotateLogs({ forMillis: handover.serveMillis }))
})

const giveBack = Effect.fnUntraced(function* (parts: Parts) {
  parts.state.isLeaving = true
  if (!(yield* letGo(parts))) return
  if ((yield* renewed(parts, { released: true })) === undefined) return
  yield* Effect.logInfo("gave everything back")
})

/** In a fiber of its own: the one that is being interrupted could not give up waiting. */
export const shutdown = (parts: Parts): Effect.Effect<void, never, Kubernetes> =>
  Effect.flatMap(Effect.forkDetach(ending(parts)), Fiber.join)

const ending = (parts: Parts): Effect.Effect<void, never, Kubernetes> =>
  Effect.gen(function* () {
    if (parts.state.registered === undefined || !parts.state.able) return
    const why = yield* parts.settings.whyEnding
    if (why === "replaced") yield* handOver(parts)
    if (why === "leaving") yield* giveBack(parts)
  }).pipe(
    Effect.timeout(PATIENCE_MILLIS),
    Effect.catch((error) =>
      Effect.logWarning("ended without a handover").pipe(Effect.annotateLogs({ error: error.message }))
    )
  )
