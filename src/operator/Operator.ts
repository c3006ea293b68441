/**
 * The operator of one node: registers, renews its NodeLease, and keeps the kernel as its IPAllocations want it. It sees
 * only the IPAllocations that name its node (label selector) and the ConfigMap with the pools' interfaces.
 */
import { Effect, Random, Result, Schedule } from "effect"
import type { Scope } from "effect"
import type { ConfigMap } from "../api/ConfigMap.ts"
import { configMaps } from "../api/ConfigMap.ts"
import type { IPAllocation } from "../api/IPAllocation.ts"
import { ipAllocations } from "../api/IPAllocation.ts"
import type { Lease } from "../api/Lease.ts"
import { nodeConfigMapName, nodeLabel } from "../api/Names.ts"
import * as NodeConfig from "../api/NodeConfig.ts"
import type { Address } from "../domain/Address.ts"
import * as HoldId from "../domain/HoldId.ts"
import type { Kubernetes } from "../ports/Kubernetes.ts"
import type { KubernetesError } from "../ports/Kubernetes.ts"
import { NodeNetwork } from "../ports/NodeNetwork.ts"
import type { NodeNetworkError } from "../ports/NodeNetwork.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import type { Respond } from "../ports/Peers.ts"
import * as Reflector from "../reconcile/Reflector.ts"
import * as Signal from "../reconcile/Signal.ts"
import * as Attendance from "./Attendance.ts"
import * as Keeper from "./Keeper.ts"
import * as Registration from "./Registration.ts"

export interface OperatorSettings {
  readonly node: string
  readonly namespace: string
  readonly nodeAddresses: ReadonlyArray<Address>
  /** p. */
  readonly renewEveryMillis: number
  /** L, announced in the NodeLease. */
  readonly leaseMillis: number
  /** Absent: no voters, neither named nor asked (`witness: off`). */
  readonly witness?: Attendance.WitnessSettings | undefined
}

export interface Operator {
  /** Tools answer, caches are synced, the node is registered. */
  readonly isReady: Effect.Effect<boolean>
  /** Answers what this node is asked as a voter; undefined: it is none. */
  readonly respond: Respond | undefined
  /** Ends only when another process or machine holds this node's lease. */
  readonly superseded: Effect.Effect<never, Registration.Superseded | Registration.Displaced, Kubernetes>
}

/** A full look at the kernel even when nothing woke us. */
const RESYNC_MILLIS = 30_000
/**
 * A round looks at everything, so what comes while it rests goes into one. The first change after a quiet time does not
 * wait; in a stream of them an address waits for this and for the round that is under way, together some 0.1 s at most.
 */
const REST_MILLIS = 50
/** After a round that left something undone, or could not read the kernel. */
const RETRY_MILLIS = 1_000

const NO_REPLY = "no reply in time"
/** A path that was away for so many renewals may have taken the watches with it; they are silent for minutes then. */
const RENEWALS_MISSED = 3

interface State {
  registered: Registration.Registered | undefined
  /** Monotonic time at which the write that last succeeded on the lease was sent. */
  renewedAtMillis: number
  /** Monotonic time at which the voters were last asked that, by a majority, kept what was in force. */
  vouchedAtMillis: number | undefined
  /** Monotonic time at which the renewal that was last answered was sent, whatever the answer. */
  answeredAtMillis: number | undefined
  /** The newest hold id that this process had, also after its lease was fenced or deleted. */
  lastHoldId: HoldId.HoldId | undefined
  /** The kernel could be read in the last round, or look. */
  able: boolean
}

interface Parts {
  readonly settings: OperatorSettings
  readonly identity: Registration.Identity
  readonly state: State
  readonly keeper: Keeper.Keeper
  readonly attendance: Attendance.Attendance
  readonly wake: Signal.Signal
  readonly allocations: Reflector.Reflector<IPAllocation>
  readonly synced: Effect.Effect<void>
  /** Begins all watches anew. */
  readonly reconnect: () => void
  /** PlenusLB is being uninstalled. */
  readonly mustRelease: () => boolean
}

export const make = Effect.fnUntraced(function* (
  settings: OperatorSettings
): Effect.fn.Return<Operator, NodeNetworkError, Kubernetes | NodeNetwork | Scope.Scope> {
  const network = yield* NodeNetwork
  const wake = yield* Signal.make
  const allocations = yield* Reflector.make({
    type: ipAllocations,
    selection: { labelSelector: nodeLabel(settings.node) },
    onChange: wake.give,
    onSynced: wake.give
  })
  const configs = yield* Reflector.make({
    type: configMaps,
    selection: { namespace: settings.namespace, fieldSelector: `metadata.name=${nodeConfigMapName}` },
    onChange: wake.give,
    onSynced: wake.give
  })
  const { node, nodeAddresses } = settings
  const config = lastReadableConfig(configs, settings.namespace)
  const identity: Registration.Identity = {
    node,
    namespace: settings.namespace,
    ...(yield* network.identity),
    nonce: (yield* Random.nextIntBetween(0, 2 ** 32)).toString(16).padStart(8, "0"),
    durationMillis: settings.leaseMillis
  }
  const state: State = {
    registered: undefined,
    renewedAtMillis: 0,
    vouchedAtMillis: undefined,
    answeredAtMillis: undefined,
    lastHoldId: undefined,
    able: false
  }
  const mayServe = isInForce(state, settings)
  const keeper = yield* Keeper.make({ node, nodeAddresses, allocations, config, mayServe })
  const synced = Effect.andThen(allocations.synced, configs.synced)
  const reconnect = () => {
    allocations.reconnect()
    configs.reconnect()
  }
  const mustRelease = () => config().release === true
  const attendance = yield* Attendance.make(settings.witness, {
    node,
    process: identity.nonce,
    members: () => config().members ?? [],
    registered: () => state.registered,
    renews: () => state.able && !mustRelease(),
    renewedAtMillis: () => state.renewedAtMillis,
    extend: (askedAtMillis) =>
      Effect.map(mayServe(state.registered?.content.holdId), (isInForce) => {
        if (isInForce) state.vouchedAtMillis = askedAtMillis
      })
  })
  const cachesAndKernel = { keeper, allocations, synced, reconnect }
  const parts: Parts = { settings, identity, state, attendance, wake, mustRelease, ...cachesAndKernel }
  yield* wake.wait.pipe(
    Effect.timeoutOption(RESYNC_MILLIS),
    Effect.andThen(round(parts)),
    Effect.andThen(Effect.sleep(REST_MILLIS)),
    Effect.forever,
    Effect.forkScoped
  )
  yield* followKernel(network, wake)
  return {
    isReady: Effect.sync(() => state.registered !== undefined && state.able),
    respond: attendance.respond,
    superseded: renewForEver(parts)
  }
})

/**
 * A controller may fence when it saw no renewal for the lease's duration; whoever sent the last one knows that a period
 * before. Or the voters keep it, for X from the asking.
 */
const isInForce =
  (state: State, { leaseMillis, renewEveryMillis, witness }: OperatorSettings) =>
  (holdId: HoldId.HoldId | undefined) =>
    Effect.map(
      monotonicMillis,
      (now) =>
        holdId !== undefined &&
        state.registered?.content.holdId === holdId &&
        (now - state.renewedAtMillis < leaseMillis - renewEveryMillis ||
          now - (state.vouchedAtMillis ?? -Infinity) < (witness?.serveMillis ?? 0))
    )

/** Nothing before registration, which comes after both caches are complete: to half a cache nothing would be wanted. */
const round = ({ keeper, mustRelease, state, wake }: Parts) =>
  Effect.gen(function* () {
    if (state.registered === undefined || mustRelease()) return
    const { applied, reported } = yield* keeper.round(state.registered.content.holdId)
    state.able = true
    if (!applied || !reported) yield* giveLater(wake)
  }).pipe(
    Effect.catch((error) => {
      state.able = false
      return Effect.andThen(unreadable(error), giveLater(wake))
    })
  )

const unreadable = (error: NodeNetworkError) =>
  Effect.logError("the node's network cannot be read").pipe(Effect.annotateLogs({ error: error.message }))

/** A ConfigMap that is gone or cannot be read says nothing: acting on "no pools" would drop what is served. */
const lastReadableConfig = (
  configs: Reflector.Reflector<ConfigMap>,
  namespace: string
): (() => NodeConfig.NodeConfig) => {
  let last: NodeConfig.NodeConfig = { pools: [] }
  return () => {
    const configMap = configs.get(Reflector.keyOf({ namespace, name: nodeConfigMapName }))
    const read = configMap === undefined ? undefined : NodeConfig.read(configMap)
    if (read !== undefined && Result.isSuccess(read)) last = read.success
    return last
  }
}

const giveLater = (wake: Signal.Signal) =>
  Effect.forkDetach(Effect.andThen(Effect.sleep(RETRY_MILLIS), Effect.sync(wake.give)))

/** A foreign deletion must be undone at once; when the monitor itself ends it is started again. */
const followKernel = (network: NodeNetwork["Service"], wake: Signal.Signal) =>
  Signal.runForEach(network.changes, wake.give).pipe(
    Effect.catch((error: NodeNetworkError) =>
      Effect.logWarning("kernel changes not followed").pipe(Effect.annotateLogs({ error: error.message }))
    ),
    Effect.andThen(Effect.sleep(RETRY_MILLIS)),
    Effect.forever,
    Effect.forkScoped
  )

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
      witness,
      takeover,
      newestHoldId: newestHoldIdOf(parts)
    }).pipe(
      Effect.timeout(parts.settings.renewEveryMillis),
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
const firstLook = ({ keeper, state, synced }: Parts): Effect.Effect<void> =>
  Effect.andThen(synced, keeper.look).pipe(
    Effect.tapError(unreadable),
    Effect.retry(Schedule.spaced(RETRY_MILLIS)),
    Effect.orDie,
    Effect.andThen(
      Effect.sync(() => {
        state.able = true
      })
    )
  )

const begin = Effect.fnUntraced(function* (parts: Parts) {
  const { state, wake } = parts
  yield* firstLook(parts)
  const registered = yield* register(parts, undefined)
  state.registered = registered
  state.lastHoldId = registered.content.holdId
  yield* Effect.logInfo("registered").pipe(Effect.annotateLogs({ holdId: registered.content.holdId }))
  wake.give()
})

/** True once the kernel holds nothing of ours any more. */
const letGo = ({ keeper }: Parts) =>
  keeper.round(undefined).pipe(
    Effect.map(({ applied }) => applied),
    Effect.catch((error) => Effect.as(unreadable(error), false))
  )

/**
 * Everything held under a fenced id goes before a new one is registered: the next holder may be serving already. It ends
 * when the kernel holds nothing of ours any more; a node that cannot let go must not be given more.
 */
const dropEverything = (parts: Parts): Effect.Effect<void, never, Kubernetes> => {
  parts.state.registered = undefined
  parts.state.vouchedAtMillis = undefined
  return Effect.logWarning("fenced: letting go of all addresses").pipe(
    Effect.andThen(
      letGo(parts).pipe(Effect.repeat({ schedule: Schedule.spaced(RETRY_MILLIS), until: (applied) => applied }))
    ),
    Effect.asVoid
  )
}

/** The API answers: after a long time in which it did not, the watches are not waited for. */
const answered = ({ reconnect, settings, state }: Parts, sentAtMillis: number): void => {
  const silentMillis = sentAtMillis - (state.answeredAtMillis ?? sentAtMillis)
  if (silentMillis > RENEWALS_MISSED * settings.renewEveryMillis) reconnect()
  state.answeredAtMillis = sentAtMillis
}

/** Answers in how many milliseconds to renew next. */
const renewOnce = Effect.fnUntraced(function* (parts: Parts, current: Registration.Registered) {
  const { attendance, identity, keeper, mustRelease, settings, state } = parts
  const released = mustRelease() && (yield* letGo(parts))
  const witness = yield* attendance.forWrite
  const sentAtMillis = yield* monotonicMillis
  const said = { interfaces: keeper.interfaces(), released, witness }
  const renewal = yield* Registration.renew(identity, current, said).pipe(Effect.timeout(settings.renewEveryMillis))
  answered(parts, sentAtMillis)
  if (renewal._tag !== "Fenced") {
    state.registered = renewal.registered
    if (renewal._tag === "Renewed") state.renewedAtMillis = sentAtMillis
    // What was only read back may be as old as L: who waits for another period is fenced while alive.
    return renewal._tag === "Renewed" ? settings.renewEveryMillis : 0
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
  if (current === undefined || !state.able) return settings.renewEveryMillis
  const pauseMillis = yield* renewOnce(parts, current).pipe(
    Effect.catchTags({
      KubernetesError: (error: KubernetesError) => notRenewed(error.message, settings),
      TimeoutError: () => notRenewed(NO_REPLY, settings)
    })
  )
  return Math.max(0, pauseMillis - ((yield* monotonicMillis) - startedAt))
})

const notRenewed = (error: string, settings: OperatorSettings) =>
  Effect.logWarning("node lease not renewed").pipe(
    Effect.annotateLogs({ error }),
    Effect.as(Math.ceil(settings.renewEveryMillis / 3))
  )

/** Superseded: the successor holds what we held, so nothing is touched. Displaced: it is served elsewhere by now. */
const renewForEver = (parts: Parts): Operator["superseded"] =>
  attempt(parts).pipe(
    Effect.flatMap(Effect.sleep),
    Effect.forever,
    Effect.tapErrorTag("Displaced", () => dropEverything(parts)),
    Effect.onExit(() =>
      Effect.sync(() => {
        parts.state.registered = undefined
      })
    )
  )
