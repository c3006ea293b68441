/**
 * The lease of this node over time: registered, renewed for ever, and lost. What the lease allows, the kernel is told at once;
 * what it no longer allows is gone from the kernel before anything else is asked for.
 */
import { Cause, Effect, Result, Schedule } from "effect"
import type { Lease } from "../api/Lease.ts"
import * as HoldId from "../domain/HoldId.ts"
import type { Kubernetes, KubernetesError } from "../ports/Kubernetes.ts"
import type { NodeNetworkError } from "../ports/NodeNetwork.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import { disabled, type Parts, RETRY_MILLIS, unusable } from "./Parts.ts"
import * as Registration from "./Registration.ts"

const NO_REPLY = "no reply in time"
/** A path that was away for so many renewals may have taken the watches with it; they are silent for minutes then. */
const RENEWALS_MISSED = 3

/** Waits until a lease of another boot was not renewed for its duration, then answers that version. */
const awaitQuiet = Effect.fnUntraced(function* ({ durationMillis, lease }: Registration.Foreign) {
  yield* Effect.logWarning("the lease of this node is of another boot or machine; waiting until it is quiet").pipe(
    Effect.annotateLogs({ durationMillis })
  )
  yield* Effect.sleep(durationMillis)
  return lease
})

/** The newest hold id of this node that the process had, or that an IPAllocation names. */
const newestHoldIdOf = ({ allocations, settings, state }: Parts): HoldId.HoldId | undefined => {
  const named = [...allocations.values()]
    .flatMap(({ spec }) => spec.allocations)
    .filter(({ nodeName }) => nodeName === settings.node)
    .flatMap(({ holdId }) => {
      const parsed = HoldId.parse(holdId ?? "")
      return Result.isSuccess(parsed) ? [parsed.success] : []
    })
  return named.reduce<HoldId.HoldId | undefined>(HoldId.newer, state.lastHoldId)
}

const register = (
  parts: Parts,
  takeover: Lease | undefined
): Effect.Effect<Registration.Registered, never, Kubernetes> =>
  Effect.flatMap(Effect.all([parts.attendance.forWrite, monotonicMillis]), ([witness, sentAtMillis]) =>
    Registration.register(parts.identity, {
      interfaces: parts.keeper.interfaces(),
      macs: parts.keeper.macs(),
      witness,
      takeover,
      newestHoldId: newestHoldIdOf(parts)
    }).pipe(
      Effect.timeout(parts.settings.times.renewMillis),
      Effect.tap(() => Effect.sync(() => void (parts.state.renewedAtMillis = sentAtMillis)))
    )
  ).pipe(
    Effect.catchTag("Foreign", (foreign) => Effect.flatMap(awaitQuiet(foreign), (lease) => register(parts, lease))),
    Effect.catch((error) =>
      Effect.logWarning("not registered").pipe(
        Effect.annotateLogs({ error: error._tag === "TimeoutError" ? NO_REPLY : error.message }),
        Effect.andThen(Effect.sleep(RETRY_MILLIS)),
        Effect.andThen(Effect.suspend(() => register(parts, takeover)))
      )
    )
  )

/** Until the kernel can be read there is nothing to say of this node, and nothing that it could hold. */
const firstLook = ({ fence, keeper, state, synced }: Parts): Effect.Effect<void> =>
  Effect.andThen(synced, Effect.andThen(fence.preflight, keeper.look)).pipe(
    Effect.tapError(unusable),
    Effect.retry(Schedule.spaced(RETRY_MILLIS)),
    Effect.orDie,
    Effect.andThen(
      Effect.sync(() => {
        state.able = true
      })
    )
  )

/** What cannot be done is tried until it can. */
const whenever = (act: Effect.Effect<unknown, NodeNetworkError>) =>
  act.pipe(Effect.tapError(unusable), Effect.retry(Schedule.spaced(RETRY_MILLIS)), Effect.orDie)

/**
 * Whether this process is still the one that is registered, now that it owns the fence: one that was stopped in between may have
 * been succeeded by another, which let go of everything and said so, and only a renewal from now on tells (ADR 14). What a
 * handover announced stands meanwhile. Undefined: it is fenced.
 */
const confirm = (
  parts: Parts,
  registered: Registration.Registered
): Effect.Effect<Registration.Registered | undefined, Registration.Superseded | Registration.Displaced, Kubernetes> =>
  Effect.gen(function* () {
    const { identity, keeper, settings, state } = parts
    const { durationMillis } = registered.content
    const renewal = yield* Registration.renew(identity, registered, {
      interfaces: keeper.interfaces(),
      macs: keeper.macs(),
      durationMillis
    }).pipe(Effect.timeout(settings.times.renewMillis))
    if (renewal._tag === "Fenced") return undefined
    if (renewal._tag === "Adopted") return yield* confirm(parts, renewal.registered)
    state.renewedAtMillis = renewal.sentAtMillis
    return renewal.registered
  }).pipe(
    Effect.catchTags({
      KubernetesError: ({ message }: KubernetesError) => confirmLater(parts, registered, message),
      TimeoutError: () => confirmLater(parts, registered, NO_REPLY)
    })
  )

const confirmLater = (parts: Parts, registered: Registration.Registered, error: string) =>
  Effect.logWarning("registration not confirmed").pipe(
    Effect.annotateLogs({ error }),
    Effect.andThen(Effect.sleep(Math.ceil(parts.settings.times.renewMillis / 3))),
    Effect.andThen(Effect.suspend(() => confirm(parts, registered)))
  )

const begin = Effect.fnUntraced(function* (parts: Parts) {
  const { settings, state, wake } = parts
  yield* firstLook(parts)
  const registered = yield* register(parts, undefined)
  state.lastHoldId = registered.content.holdId
  // Only who is registered owns the fence, or one that was succeeded long ago would take it from its successor (R5).
  yield* whenever(parts.fence.begin)
  const confirmed = settings.keepsKernelLease ? yield* confirm(parts, registered) : registered
  if (confirmed === undefined) return
  state.registered = confirmed
  // The kernel may serve for as long as a handover allowed: no longer, before less is announced (R11).
  yield* whenever(parts.fence.renew)
  yield* Effect.logInfo("registered").pipe(Effect.annotateLogs({ holdId: registered.content.holdId }))
  wake.give()
})

/** True once the kernel holds nothing of ours any more. */
export const letGo = ({ fence, keeper }: Parts) =>
  Effect.andThen(fence.close, keeper.round(undefined)).pipe(
    Effect.map(({ applied }) => applied),
    Effect.catch((error) => Effect.as(unusable(error), false))
  )

/**
 * Everything held under a fenced id goes before a new one is registered: the next holder may be serving already. It ends
 * when the kernel holds nothing of ours any more; a node that cannot let go must not be given more.
 */
const dropEverything = (parts: Parts): Effect.Effect<void, never, Kubernetes> => {
  parts.state.registered = undefined
  parts.state.keptUntilMillis = undefined
  parts.state.mayKeepUntilMillis = undefined
  return Effect.logWarning("fenced: letting go of all addresses").pipe(
    Effect.andThen(
      letGo(parts).pipe(Effect.repeat({ schedule: Schedule.spaced(RETRY_MILLIS), until: (applied) => applied }))
    ),
    Effect.asVoid
  )
}

/** The API answers: after a long time in which it did not, the watches are not waited for. */
const answered = ({ reconnect, state, tempo }: Parts, sentAtMillis: number): void => {
  const silentMillis = sentAtMillis - (state.answeredAtMillis ?? sentAtMillis)
  if (silentMillis > RENEWALS_MISSED * tempo.periodMillis()) reconnect()
  state.answeredAtMillis = sentAtMillis
}

/** An uninstallation: nothing of ours stays on the node. */
const giveBack = (parts: Parts) =>
  letGo(parts).pipe(Effect.tap((applied) => (applied ? Effect.catch(parts.fence.remove, unusable) : Effect.void)))

/** What the lease allows, the kernel is told at once. False: only after another renewal. */
const extend = (parts: Parts, sentAtMillis: number) =>
  Effect.suspend(() => {
    parts.state.renewedAtMillis = sentAtMillis
    return parts.mustRelease() ? Effect.succeed(true) : parts.fence.renew
  }).pipe(Effect.catch((error) => Effect.as(disabled(parts, error), true)))

/**
 * What an earlier attempt left may be as old as L: who waits for another period is fenced while alive. The kernel is told by the
 * renewal that follows, since this one may have been sent before the fence was claimed (ADR 14).
 */
const adopted = ({ state }: Parts, sentAtMillis: number | undefined): number => {
  state.renewedAtMillis = Math.max(state.renewedAtMillis, sentAtMillis ?? state.renewedAtMillis)
  return 0
}

/** Answers in how many milliseconds to renew next. */
const renewOnce = Effect.fnUntraced(function* (parts: Parts, current: Registration.Registered) {
  const { attendance, identity, keeper, mustRelease, settings, state, tempo, wake } = parts
  const released = mustRelease() && (yield* giveBack(parts))
  const durationMillis = tempo.durationForWrite(yield* monotonicMillis)
  const witness = yield* attendance.forWrite
  const askedAtMillis = yield* monotonicMillis
  const said = {
    interfaces: keeper.interfaces(),
    macs: keeper.macs(),
    released,
    witness,
    ...(durationMillis && { durationMillis })
  }
  const renewal = yield* Registration.renew(identity, current, said).pipe(Effect.timeout(settings.times.renewMillis))
  answered(parts, askedAtMillis)
  if (renewal._tag !== "Fenced") {
    state.registered = renewal.registered
    if (renewal._tag === "Adopted") return adopted(parts, renewal.sentAtMillis)
    if (!(yield* extend(parts, renewal.sentAtMillis))) return 0
    // What was given to an idle node waits for this renewal.
    if (tempo.acknowledged()) wake.give()
    return tempo.periodMillis()
  }
  yield* dropEverything(parts)
  return 0
})

/** An operator that cannot act does not renew: its addresses must be able to move to one that can. */
const attempt = Effect.fnUntraced(function* (parts: Parts) {
  const { settings, state } = parts
  const startedAt = yield* monotonicMillis
  if (state.registered === undefined) yield* begin(parts)
  const current = state.registered
  if (current === undefined) return settings.times.renewMillis
  if (!state.able) return yield* Effect.as(guard(parts), settings.times.renewMillis)
  const pauseMillis = yield* renewOnce(parts, current).pipe(
    Effect.catchTags({
      KubernetesError: (error: KubernetesError) => notRenewed(parts, error.message),
      TimeoutError: () => notRenewed(parts, NO_REPLY)
    })
  )
  return Math.max(0, pauseMillis - ((yield* monotonicMillis) - startedAt))
})

const guard = (parts: Parts) => Effect.catch(parts.fence.guard, (error) => disabled(parts, error))

const notRenewed = (parts: Parts, error: string) =>
  Effect.logWarning("node lease not renewed").pipe(
    Effect.annotateLogs({ error }),
    Effect.andThen(guard(parts)),
    Effect.as(parts.tempo.retryMillis())
  )

/**
 * Superseded: the successor holds what we held, so nothing is touched. Displaced: it is served elsewhere by now. Interrupted,
 * it leaves the registration to `shutdown`.
 */
export const renewForEver = (
  parts: Parts
): Effect.Effect<never, Registration.Superseded | Registration.Displaced, Kubernetes> =>
  attempt(parts).pipe(
    Effect.flatMap((millis) => parts.tempo.rest(millis)),
    Effect.forever,
    Effect.tapErrorTag("Displaced", () => dropEverything(parts)),
    Effect.onError((cause) =>
      Effect.sync(() => {
        if (!Cause.hasInterruptsOnly(cause)) parts.state.registered = undefined
      })
    )
  )
