/**
 * The operator of one node: registers, renews its NodeLease, and keeps the kernel as its IPAllocations want it. It sees
 * only the IPAllocations that name its node (label selector) and the ConfigMap with the pools' interfaces.
 */
import { Cause, Deferred, Effect, Random, Result } from "effect"
import type { Scope } from "effect"
import type { ConfigMap } from "../api/ConfigMap.ts"
import { configMaps } from "../api/ConfigMap.ts"
import { type IPAllocation, ipAllocations } from "../api/IPAllocation.ts"
import { nodeConfigMapName, nodeLabel } from "../api/Names.ts"
import * as NodeConfig from "../api/NodeConfig.ts"
import type { Address } from "../domain/Address.ts"
import type * as HoldId from "../domain/HoldId.ts"
import type { Kubernetes } from "../ports/Kubernetes.ts"
import { NodeNetwork } from "../ports/NodeNetwork.ts"
import type { NodeNetworkError } from "../ports/NodeNetwork.ts"
import { forkForEver } from "../reconcile/ForEver.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import type { Respond } from "../ports/Peers.ts"
import * as Reflector from "../reconcile/Reflector.ts"
import * as Signal from "../reconcile/Signal.ts"
import * as Attendance from "./Attendance.ts"
import { Attempts } from "./Attempts.ts"
import * as ClaimCheck from "./ClaimCheck.ts"
import * as Fence from "./Fence.ts"
import * as Instance from "./Instance.ts"
import * as Keeper from "./Keeper.ts"
import {
  disabled,
  type OperatorSettings,
  type Parts,
  renewedUntilMillis,
  RETRY_MILLIS,
  serveMillisOf,
  type State,
  untilMillis,
  untilMillisForWrite
} from "./Parts.ts"
import * as Preflight from "./Preflight.ts"
import type * as Registration from "./Registration.ts"
import { renewForEver } from "./Renewing.ts"
import { shutdown } from "./Shutdown.ts"
import { Tempo } from "./Tempo.ts"

export interface Operator {
  /** Tools answer, caches are synced, the node is registered. */
  readonly isReady: Effect.Effect<boolean>
  /** Answers what this node is asked as a voter; undefined: it is none. */
  readonly respond: Respond | undefined
  /** Ends only when another process or machine holds this node's lease. */
  readonly superseded: Effect.Effect<never, Registration.Superseded | Registration.Displaced, Kubernetes>
  /** To be run once `superseded` was interrupted: the process ends in peace, and its node's addresses must not suffer. */
  readonly shutdown: Effect.Effect<void, never, Kubernetes>
}

/** A full look at the kernel even when nothing woke us. */
const RESYNC_MILLIS = 30_000
/**
 * A round looks at everything, so what comes while it rests goes into one. The first change after a quiet time does not
 * wait; in a stream of them an address waits for this and for the round that is under way, together some 0.1 s at most.
 */
const REST_MILLIS = 50
/** Longer than a round takes, unless the machine is out of breath. */
const SLOW_MILLIS = 60
const SLOW_REST_MAX_MILLIS = 400

/**
 * The addresses of a node that died come in a stream, and where rounds are slow one for each few of them would take the
 * processor from whoever sends the rest: two thirds of the time are left to others.
 */
const restMillis = (changingMillis: number): number =>
  changingMillis <= SLOW_MILLIS ? REST_MILLIS : Math.min(2 * changingMillis, SLOW_REST_MAX_MILLIS)

export const make = Effect.fnUntraced(function* (
  settings: OperatorSettings
): Effect.fn.Return<Operator, NodeNetworkError, Kubernetes | NodeNetwork | Scope.Scope> {
  const network = yield* NodeNetwork
  const wake = yield* Signal.make
  const wanted = yield* Signal.make
  const changed = yield* Signal.make
  const { allocations, configs } = yield* follow(settings, [wake, wanted, changed])
  const { node, nodeAddresses } = settings
  const config = lastReadableConfig(configs, settings.namespace)
  const hasCloud = () => config().pools.some(({ isRouted }) => isRouted === true)
  const instanceId = yield* Instance.follow(settings.instanceId, hasCloud)
  const uplinks = (): ReadonlyArray<string> => fence.current().uplinks
  const { packetPath } = network
  const bypassed = yield* settings.keepsKernelLease ? Preflight.follow({ packetPath, uplinks }) : Preflight.none
  const unreached: Attendance.Attendance["unreached"] = () => attendance.unreached()
  const identity = yield* identityOf(settings, network, { instanceId, bypassed, unreached })
  const state = newState(settings)
  const fence = yield* fenceOf(settings, state, identity, network)
  const mayServe = isInForce(state, fence)
  const claims = yield* ClaimCheck.make(wake.give)
  const ofNode = { node, nodeAddresses, allocations, config, lastHoldId: () => state.lastHoldId }
  const asking = { verdictOf: claims.verdictOf, wake: wake.give, changed: changed.wait }
  const keeper = yield* Keeper.make({ ...ofNode, ...asking, mayServe, fence })
  const overtaken = yield* Deferred.make<never, Registration.Superseded>()
  const synced = Effect.andThen(allocations.synced, configs.synced)
  const reconnect = () => {
    allocations.reconnect()
    configs.reconnect()
  }
  const mustRelease = () => config().release === true
  const isHolding = () => isNamed(allocations) || fence.current().leased.length > 0
  const isNeeded = () => isHolding() || isCandidate(config(), node) || mustRelease()
  const tempo = new Tempo(settings.times, isNeeded, wanted, yield* monotonicMillis)
  const attendance = yield* Attendance.make(settings.witness, {
    node,
    process: identity.nonce,
    members: () => config().members ?? [],
    fenced: () => config().fenced ?? [],
    registered: () => state.registered,
    renews: () => state.able && !state.isLeaving && !mustRelease() && !tempo.isIdle,
    isIdle: () => tempo.saysIdle,
    renewedAtMillis: () => state.renewedAtMillis,
    extend: (askedAtMillis) => keep({ settings, state, fence, overtaken }, askedAtMillis)
  })
  const ofKernel = { keeper, fence, claims, overtaken }
  const ofApi = { allocations, synced, reconnect, mustRelease }
  const parts: Parts = { settings, identity, state, attendance, tempo, wake, ...ofKernel, ...ofApi }
  yield* Effect.forkScoped(rounds(parts))
  yield* followKernel(network, wake)
  return {
    isReady: Effect.sync(() => state.registered !== undefined && state.able),
    respond: attendance.respond,
    superseded: Effect.raceFirst(renewForEver(parts), Deferred.await(overtaken)),
    shutdown: shutdown(parts)
  }
})

/** What is learned later is said from then on. */
const identityOf = Effect.fnUntraced(function* (
  { namespace, node, times }: OperatorSettings,
  network: NodeNetwork["Service"],
  learned: { readonly [fact in "instanceId" | "bypassed"]: () => string | undefined } & Pick<
    Attendance.Attendance,
    "unreached"
  >
): Effect.fn.Return<Registration.Identity, NodeNetworkError> {
  return {
    node,
    namespace,
    ...(yield* network.identity),
    nonce: (yield* Random.nextIntBetween(0, 2 ** 32)).toString(16).padStart(8, "0"),
    durationMillis: times.quietMillis,
    attempts: new Attempts(),
    askAgainMillis: Math.ceil(times.renewMillis / 3),
    get instanceId() {
      return learned.instanceId()
    },
    get bypassed() {
      return learned.bypassed()
    },
    get unreached() {
      return learned.unreached()
    }
  }
})

/** What names this node, and what all are told. */
const follow = Effect.fnUntraced(function* (
  { namespace, node }: OperatorSettings,
  signals: ReadonlyArray<Signal.Signal>
) {
  const onChange = () => {
    for (const signal of signals) signal.give()
  }
  const handlers = { onChange, onUndecodable: onChange, onSynced: onChange }
  return {
    allocations: yield* Reflector.make({
      ...handlers,
      type: ipAllocations,
      selection: { labelSelector: nodeLabel(node) }
    }),
    configs: yield* Reflector.make({
      ...handlers,
      type: configMaps,
      selection: { namespace, fieldSelector: `metadata.name=${nodeConfigMapName}` }
    })
  }
})

const isNamed = (allocations: Reflector.Reflector<IPAllocation>): boolean =>
  allocations.size() + allocations.undecodable.size > 0

const isCandidate = ({ candidates }: NodeConfig.NodeConfig, node: string): boolean => candidates?.includes(node) ?? true

const newState = (settings: OperatorSettings): State => ({
  serveMillis: serveMillisOf(settings),
  registered: undefined,
  renewedAtMillis: 0,
  keptUntilMillis: undefined,
  mayKeepUntilMillis: undefined,
  answeredAtMillis: undefined,
  lastHoldId: undefined,
  able: false,
  isLeaving: false
})

/** By the word of the voters: X is the profile's, however long a handover serves. */
const keep = (
  { fence, overtaken, settings, state }: Pick<Parts, "fence" | "overtaken" | "settings" | "state">,
  askedAtMillis: number
): Effect.Effect<void> =>
  Effect.suspend(() => {
    state.mayKeepUntilMillis = askedAtMillis + settings.times.serveMillis
    if (settings.keepsKernelLease) return fence.renew
    return Effect.map(monotonicMillis, (now) => void untilMillisForWrite(state, now))
  }).pipe(Effect.catch((error) => disabled({ overtaken, state }, error)))

const isInForce = (state: State, fence: Fence.Fence) => (holdId: HoldId.HoldId | undefined) =>
  Effect.map(monotonicMillis, (now) => {
    const isOwn = holdId !== undefined && state.registered?.content.holdId === holdId
    const byRenewal = new Set(fence.current().byRenewal)
    return (address: Address) =>
      isOwn && now < (byRenewal.has(address) ? renewedUntilMillis(state) : untilMillis(state))
  })

const fenceOf = (
  settings: OperatorSettings,
  state: State,
  { nonce }: Registration.Identity,
  { fence: kernel }: NodeNetwork["Service"]
): Effect.Effect<Fence.Fence> =>
  settings.keepsKernelLease
    ? Fence.make({
        kernel,
        owner: nonce,
        ticketMillis: settings.times.ticketMillis,
        untilMillis: (nowMillis) => untilMillisForWrite(state, nowMillis),
        renewedUntilMillis: () => renewedUntilMillis(state)
      })
    : Effect.succeed(Fence.none)

interface Outcome {
  readonly isDone: boolean
  readonly changingMillis: number
}

const nothingDone = (isDone: boolean): Outcome => ({ isDone, changingMillis: 0 })

/** Nothing before registration, which comes after both caches are complete: to half a cache nothing would be wanted. */
const round = (parts: Parts) =>
  Effect.gen(function* () {
    const { allocations, claims, keeper, mustRelease, settings, state } = parts
    const mayKeep = () => state.registered !== undefined && !state.isLeaving && !mustRelease()
    // Before the round: whoever has to let go of everything must not wait for an answer of the API.
    if (mayKeep()) {
      yield* claims.look(allocations.values(), { node: settings.node, holdId: state.registered?.content.holdId })
    }
    if (state.registered === undefined || !mayKeep()) return nothingDone(true)
    const { applied, changingMillis, reported } = yield* keeper.round(state.registered.content.holdId)
    state.able = true
    return { isDone: applied && reported, changingMillis }
  }).pipe(
    Effect.catch((error) => {
      // Nothing has changed in the kernel: what it serves is served, and a renewal tells whether that can go on.
      const told = Fence.isLate(error) ? Effect.logWarning("round not done in time") : disabled(parts, error)
      return Effect.as(told, nothingDone(false))
    }),
    // A bug that one address meets must not leave this node renewing, and deaf to all that comes after.
    Effect.catchDefect((defect) => Effect.as(Effect.logError("defect in round", Cause.die(defect)), nothingDone(false)))
  )

/** What is left to do is tried again a second later, or with what wakes us before: a try for each that did would never end. */
const rounds = Effect.fnUntraced(function* (parts: Parts): Effect.fn.Return<never, never, Kubernetes> {
  let isDone = true
  while (true) {
    yield* Effect.timeoutOption(parts.wake.wait, isDone ? RESYNC_MILLIS : RETRY_MILLIS - REST_MILLIS)
    const outcome = yield* round(parts)
    isDone = outcome.isDone
    yield* Effect.sleep(restMillis(outcome.changingMillis))
  }
})

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

/** A foreign deletion must be undone at once; when the monitor itself ends it is started again. */
const followKernel = (network: NodeNetwork["Service"], wake: Signal.Signal) =>
  forkForEver(
    "changes of the kernel",
    Signal.runForEach(network.changes, wake.give).pipe(
      Effect.catch((error: NodeNetworkError) =>
        Effect.logWarning("kernel changes not followed").pipe(Effect.annotateLogs({ error: error.message }))
      ),
      Effect.andThen(Effect.sleep(RETRY_MILLIS))
    )
  )
