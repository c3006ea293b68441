/**
 * The operator of one node: registers, renews its NodeLease, and keeps the kernel as its IPAllocations want it. It sees
 * only the IPAllocations that name its node (label selector) and the ConfigMap with the pools' interfaces.
 */
import { Clock, Effect, Random, Result } from "effect"
import type { Scope } from "effect"
import { configMaps } from "../api/ConfigMap.ts"
import { ipAllocations } from "../api/IPAllocation.ts"
import type { Lease } from "../api/Lease.ts"
import { nodeConfigMapName, nodeLabel } from "../api/Names.ts"
import * as NodeConfig from "../api/NodeConfig.ts"
import type { Address } from "../domain/Address.ts"
import type { Kubernetes } from "../ports/Kubernetes.ts"
import type { KubernetesError } from "../ports/Kubernetes.ts"
import { NodeNetwork } from "../ports/NodeNetwork.ts"
import type { NodeNetworkError } from "../ports/NodeNetwork.ts"
import * as Reflector from "../reconcile/Reflector.ts"
import * as Signal from "../reconcile/Signal.ts"
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
}

export interface Operator {
  /** Tools answer, caches are synced, the node is registered. */
  readonly isReady: Effect.Effect<boolean>
  /** Ends only when another process has taken this node over. */
  readonly superseded: Effect.Effect<never, Registration.Superseded, Kubernetes>
}

/** A full look at the kernel even when nothing woke us. */
const RESYNC_MILLIS = 30_000
/** After a round that left something undone, or could not read the kernel. */
const RETRY_MILLIS = 1_000

interface State {
  registered: Registration.Registered | undefined
  /** The kernel could be read, and its tools answered, in the last round. */
  able: boolean
}

/** Waits until a lease of another boot was not renewed for its duration, then answers that version. */
const awaitQuiet = Effect.fnUntraced(function* ({ durationMillis, lease }: Registration.Foreign) {
  yield* Effect.logWarning("the lease of this node is of another boot or machine; waiting until it is quiet").pipe(
    Effect.annotateLogs({ durationMillis })
  )
  yield* Effect.sleep(durationMillis)
  return lease
})

const register = (
  identity: Registration.Identity,
  takeover: Lease | undefined
): Effect.Effect<Registration.Registered, never, Kubernetes> =>
  Registration.register(identity, takeover).pipe(
    Effect.catchTag("Foreign", (foreign) => Effect.flatMap(awaitQuiet(foreign), (lease) => register(identity, lease))),
    Effect.catch((error) =>
      Effect.logWarning("not registered").pipe(
        Effect.annotateLogs({ error: error.message }),
        Effect.andThen(Effect.sleep(RETRY_MILLIS)),
        Effect.andThen(Effect.suspend(() => register(identity, takeover)))
      )
    )
  )

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
  const config = () => readConfig(configs, settings.namespace)
  const keeper = yield* Keeper.make({
    node: settings.node,
    nodeAddresses: settings.nodeAddresses,
    allocations,
    config
  })
  const identity: Registration.Identity = {
    node: settings.node,
    namespace: settings.namespace,
    ...(yield* network.identity),
    nonce: (yield* Random.nextIntBetween(0, 2 ** 32)).toString(16).padStart(8, "0"),
    durationMillis: settings.leaseMillis
  }
  const state: State = { registered: undefined, able: false }
  const isSynced = () => allocations.isSynced() && configs.isSynced()

  const round = Effect.gen(function* () {
    if (!isSynced() || state.registered === undefined || config().release === true) return
    const { complete } = yield* keeper.round(state.registered.content.holdId)
    state.able = true
    if (!complete) yield* giveLater(wake)
  }).pipe(
    Effect.catch((error) => {
      state.able = false
      return Effect.logError("the node's network cannot be read").pipe(
        Effect.annotateLogs({ error: error.message }),
        Effect.andThen(giveLater(wake))
      )
    })
  )

  yield* wake.wait.pipe(Effect.timeoutOption(RESYNC_MILLIS), Effect.andThen(round), Effect.forever, Effect.forkScoped)
  yield* followKernel(network, wake)
  return {
    isReady: Effect.sync(() => isSynced() && state.registered !== undefined && state.able),
    superseded: renewForEver({ settings, identity, state, keeper, wake, mustRelease: () => config().release === true })
  }
})

const readConfig = (
  configs: Reflector.Reflector<{ readonly metadata: { readonly name: string } }>,
  namespace: string
) => {
  const configMap = configs.get(Reflector.keyOf({ namespace, name: nodeConfigMapName }))
  const read = configMap === undefined ? undefined : NodeConfig.read(configMap)
  return read !== undefined && Result.isSuccess(read) ? read.success : { pools: [] }
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

interface Renewing {
  readonly settings: OperatorSettings
  readonly identity: Registration.Identity
  readonly state: State
  readonly keeper: Keeper.Keeper
  readonly wake: Signal.Signal
  /** PlenusLB is being uninstalled. */
  readonly mustRelease: () => boolean
}

/** Everything held under a fenced id goes before a new one is registered: the next holder may be serving already. */
const dropEverything = Effect.fnUntraced(function* ({ keeper, state, wake }: Renewing) {
  state.registered = undefined
  yield* Effect.logWarning("fenced: letting go of all addresses")
  yield* keeper.round(undefined).pipe(
    Effect.repeat({ until: ({ complete }) => complete, times: 3 }),
    Effect.catch((error) =>
      Effect.logError("addresses could not be removed").pipe(Effect.annotateLogs({ error: error.message }))
    )
  )
  wake.give()
})

/** True once nothing of ours is left on the node. */
const releaseEverything = ({ keeper }: Renewing) =>
  keeper.round(undefined).pipe(
    Effect.map(({ complete }) => complete),
    Effect.catch((error) =>
      Effect.logError("addresses could not be removed").pipe(
        Effect.annotateLogs({ error: error.message }),
        Effect.as(false)
      )
    )
  )

const renewForEver = (renewing: Renewing): Effect.Effect<never, Registration.Superseded, Kubernetes> => {
  const { identity, keeper, settings, state, wake } = renewing
  const adopt = Effect.fnUntraced(function* () {
    state.registered = yield* register(identity, undefined)
    yield* Effect.logInfo("registered").pipe(Effect.annotateLogs({ holdId: state.registered.content.holdId }))
    wake.give()
  })
  const renewOnce = Effect.fnUntraced(function* (current: Registration.Registered) {
    const releasing = renewing.mustRelease()
    const released = releasing && (yield* releaseEverything(renewing))
    const renewal = yield* Registration.renew(identity, current, { interfaces: keeper.interfaces(), released })
    if (renewal._tag === "Renewed") {
      state.registered = renewal.registered
      return settings.renewEveryMillis
    }
    yield* dropEverything(renewing)
    return 0
  })
  const attempt = Effect.gen(function* () {
    const startedAt = yield* Clock.monotonicTimeNanos
    if (state.registered === undefined) yield* adopt()
    const current = state.registered
    // An operator that cannot act must not keep its addresses from moving to one that can.
    if (current === undefined || !(state.able || isFirst(current))) return settings.renewEveryMillis
    const pauseMillis = yield* renewOnce(current).pipe(
      Effect.timeout(settings.renewEveryMillis),
      Effect.catchTags({
        KubernetesError: (error: KubernetesError) => notRenewed(error.message, settings),
        TimeoutError: () => notRenewed("no reply in time", settings)
      })
    )
    const tookMillis = Number(((yield* Clock.monotonicTimeNanos) - startedAt) / 1_000_000n)
    return Math.max(0, pauseMillis - tookMillis)
  })
  return attempt.pipe(Effect.flatMap(Effect.sleep), Effect.forever)
}

/** Right after registration no round has told yet whether the tools work. */
const isFirst = (registered: Registration.Registered): boolean => registered.content.attempt <= 3

const notRenewed = (error: string, settings: OperatorSettings) =>
  Effect.logWarning("node lease not renewed").pipe(
    Effect.annotateLogs({ error }),
    Effect.as(Math.ceil(settings.renewEveryMillis / 3))
  )
