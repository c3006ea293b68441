/** What the loops of one operator share: its settings, what it knows of its lease, and the pieces it is made of. */
import { Deferred, Effect } from "effect"
import type { IPAllocation } from "../api/IPAllocation.ts"
import type { Address } from "../domain/Address.ts"
import type { FailoverTimes } from "../domain/FailoverTimes.ts"
import type * as HoldId from "../domain/HoldId.ts"
import type { NodeNetworkError } from "../ports/NodeNetwork.ts"
import type * as Reflector from "../reconcile/Reflector.ts"
import type * as Signal from "../reconcile/Signal.ts"
import type * as Attendance from "./Attendance.ts"
import type * as ClaimCheck from "./ClaimCheck.ts"
import * as Fence from "./Fence.ts"
import type * as Keeper from "./Keeper.ts"
import * as Registration from "./Registration.ts"
import { remedyFor } from "./Remedy.ts"
import type { Tempo } from "./Tempo.ts"

/** `replaced`: another process of this node will go on. `leaving`: none will. `unknown`: nobody could be asked. */
export type Ending = "replaced" | "leaving" | "unknown"

export interface OperatorSettings {
  readonly node: string
  readonly namespace: string
  readonly nodeAddresses: ReadonlyArray<Address>
  readonly times: FailoverTimes
  /** Asked where a pool has addresses of a cloud: which server of the provider this machine is. */
  readonly instanceId: Effect.Effect<string | undefined>
  /** Asked when this process is to end: why. */
  readonly whyEnding: Effect.Effect<Ending>
  /** Whether the kernel lets go by itself, X after a renewal; otherwise only once this node learns that it was fenced. */
  readonly keepsKernelLease: boolean
  /** Absent: no voters, neither named nor asked (`witness: off`). */
  readonly witness?: Attendance.WitnessSettings | undefined
}

export interface State {
  /** X: how long after the sending of a renewal this node may serve; longer once a handover was announced. */
  serveMillis: number
  registered: Registration.Registered | undefined
  /** Monotonic time at which the write that last succeeded on the lease was sent. */
  renewedAtMillis: number
  /** Monotonic time until which the voters keep what was in force; undefined: they never did, or it was lost since. */
  keptUntilMillis: number | undefined
  /** Until when they would, of a write to the kernel that is on its way: counts only if something is in force then. */
  mayKeepUntilMillis: number | undefined
  /** Monotonic time at which the renewal that was last answered was sent, whatever the answer. */
  answeredAtMillis: number | undefined
  /** The newest hold id that this process had, also after its lease was fenced or deleted. */
  lastHoldId: HoldId.HoldId | undefined
  /** The kernel could be read in the last round, or look. */
  able: boolean
  /** Everything is given back: nothing may be taken any more. */
  isLeaving: boolean
}

export interface Parts {
  readonly settings: OperatorSettings
  readonly identity: Registration.Identity
  readonly state: State
  readonly keeper: Keeper.Keeper
  readonly fence: Fence.Fence
  readonly claims: ClaimCheck.ClaimCheck
  readonly attendance: Attendance.Attendance
  readonly tempo: Tempo
  /** Another process of this node owns the kernel's fence by now. */
  readonly overtaken: Deferred.Deferred<never, Registration.Superseded>
  readonly wake: Signal.Signal
  readonly allocations: Reflector.Reflector<IPAllocation>
  readonly synced: Effect.Effect<void>
  /** Begins all watches anew. */
  readonly reconnect: () => void
  /** PlenusLB is being uninstalled. */
  readonly mustRelease: () => boolean
}

/** After a round that left something undone, or could not read the kernel. */
export const RETRY_MILLIS = 1_000

/**
 * Monotonic time. The kernel serves until X after the sending of the last renewal. Without its lease: a controller may fence
 * when it saw no renewal for the lease's duration; whoever sent the last one knows that a period before.
 */
export const untilMillis = (state: State): number =>
  state.registered === undefined
    ? Number.NEGATIVE_INFINITY
    : Math.max(renewedUntilMillis(state), state.keptUntilMillis ?? Number.NEGATIVE_INFINITY)

/** What the voters keep nothing of. */
export const renewedUntilMillis = ({ registered, renewedAtMillis, serveMillis }: State): number =>
  registered === undefined ? Number.NEGATIVE_INFINITY : renewedAtMillis + serveMillis

/**
 * To be asked between the ticket of a write and the write: what has run out by then is not kept. A write that begins before
 * is done within the ticket's life, for which whoever takes over waits as well (R4, R12).
 */
export const untilMillisForWrite = (state: State, nowMillis: number): number => {
  const until = untilMillis(state)
  const { mayKeepUntilMillis } = state
  if (mayKeepUntilMillis === undefined || nowMillis >= until) return until
  state.mayKeepUntilMillis = undefined
  state.keptUntilMillis = mayKeepUntilMillis
  return untilMillis(state)
}

export const serveMillisOf = ({ keepsKernelLease, times }: OperatorSettings): number =>
  keepsKernelLease ? times.serveMillis : times.quietMillis - times.renewMillis

/**
 * What an operator cannot do, another may: it ceases to renew. A table that somebody took away is no such thing: it comes back
 * with the next renewal, which proves that this process still may make one, and which must not be withheld.
 */
export const disabled = (
  { overtaken, state }: Pick<Parts, "overtaken" | "state">,
  error: NodeNetworkError
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const overtaker = Fence.overtakerIn(error)
    if (overtaker !== undefined) {
      state.registered = undefined
      return Effect.asVoid(Deferred.fail(overtaken, new Registration.Superseded({ nonce: overtaker })))
    }
    state.able = Fence.isTableGone(error)
    return unusable(error)
  })

export const unusable = (error: NodeNetworkError): Effect.Effect<void> => {
  const remedy = remedyFor(error)
  return Effect.logError("the node's network cannot be used").pipe(
    Effect.annotateLogs({ error: error.message, ...(remedy === undefined ? {} : { remedy }) })
  )
}
