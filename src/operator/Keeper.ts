/**
 * Keeps this node's kernel as its IPAllocations want it: one round reads the whole state, plans, changes what differs,
 * announces what is new and reports. Level-triggered: a round does not ask what woke it, so a lost wake-up costs at most
 * the time to the next one. Rounds never overlap.
 */
import { Effect, Result, Semaphore } from "effect"
import type { Scope } from "effect"
import { claimsInLabels, views } from "../api/AllocationEntries.ts"
import type { IPAllocation } from "../api/IPAllocation.ts"
import type { InterfaceReadiness } from "../api/NodeLease.ts"
import type { NodeConfig, PoolNetwork } from "../api/NodeConfig.ts"
import * as Address from "../domain/Address.ts"
import * as ControlPlaneLoss from "../domain/ControlPlaneLoss.ts"
import type { HoldId } from "../domain/HoldId.ts"
import * as FencePlan from "../domain/FencePlan.ts"
import * as InterfaceMode from "../domain/InterfaceMode.ts"
import * as InterfacePlan from "../domain/InterfacePlan.ts"
import type * as NodeDuty from "../domain/NodeDuty.ts"
import type { Kubernetes } from "../ports/Kubernetes.ts"
import { NodeNetwork } from "../ports/NodeNetwork.ts"
import type { NetworkState, NodeNetworkError } from "../ports/NodeNetwork.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import type { Reflector } from "../reconcile/Reflector.ts"
import * as Announcer from "./Announcer.ts"
import type { ClaimCheck } from "./ClaimCheck.ts"
import { Duties } from "./Duties.ts"
import * as FirstUse from "./FirstUse.ts"
import type { Fence } from "./Fence.ts"
import { announceableIn, areGone, heldAsPlanned, heldIn, neighbourlyIn, ownMacsIn, upIn } from "./KernelView.ts"
import * as Flows from "./Flows.ts"
import * as News from "./News.ts"
import * as StatusReporter from "./StatusReporter.ts"

export interface Options {
  readonly node: string
  /** Addresses of the Node object: never ours to hold, and no interface that carries one is ours to clean. */
  readonly nodeAddresses: ReadonlyArray<Address.Address>
  readonly allocations: Reflector<IPAllocation>
  readonly config: () => NodeConfig
  /** For which addresses the lease under this hold id is in force, as far as this node can know. */
  readonly mayServe: (holdId: HoldId | undefined) => Effect.Effect<(address: Address.Address) => boolean>
  readonly fence: Fence
  /** The newest hold id that this process had. */
  readonly lastHoldId: () => HoldId | undefined
  /** Whether another IPAllocation claims an address, too: it is armed only when none does. */
  readonly verdictOf: ClaimCheck["verdictOf"]
  /** Asks for another round. */
  readonly wake: () => void
  /** Answers once for all changes of the IPAllocations since the last time. */
  readonly changed: Effect.Effect<void>
}

export interface Keeper {
  /** Reads the kernel and judges the pools' interfaces; changes nothing. Fails when the kernel cannot be read, or nothing be sent. */
  readonly look: Effect.Effect<void, NodeNetworkError>
  /** One round under this hold id; without one everything of ours goes. Fails when the kernel cannot be read, or not fence. */
  readonly round: (holdId: HoldId | undefined) => Effect.Effect<RoundResult, NodeNetworkError, Kubernetes>
  /** What the last round or look found of the pools' interfaces, for the NodeLease. */
  readonly interfaces: () => InterfaceReadiness
  /** Hardware addresses by which the node answers, for the NodeLease. */
  readonly macs: () => ReadonlyArray<string>
}

export interface RoundResult {
  /** From the first look at the kernel to the last; 0: there was nothing to change. */
  readonly changingMillis: number
  /** Every change to the kernel succeeded. */
  readonly applied: boolean
  /** Everything that was to be acknowledged is. */
  readonly reported: boolean
}

/** Addresses that the status says this node served, for what somebody put anew without our mark while no operator ran. */
const reportedAs = (allocations: Iterable<IPAllocation>, node: string): ReadonlyArray<InterfacePlan.Placed> =>
  [...allocations].flatMap(({ status }) =>
    (status?.addresses ?? []).flatMap((entry) => {
      const parsed = Address.parse(entry.address)
      return entry.node !== node || entry.interface === undefined || Result.isFailure(parsed)
        ? []
        : [{ address: parsed.success, interfaceName: entry.interface }]
    })
  )

/** Any IPv4 address tells whether the interface can be used; an IPv6 one that cannot is refused when it is wanted. */
const probeAddress = Address.fromBigInt("IPv4", 0n)

const readinessOf = (config: NodeConfig, facts: InterfaceMode.NodeFacts): InterfaceReadiness => {
  const judge = InterfaceMode.judging(facts)
  return Object.fromEntries(
    config.pools.flatMap((pool) => {
      const verdict = judge(pool, probeAddress)
      if (!InterfaceMode.isRefusal(verdict)) return [[pool.interfaceName, ""]]
      return verdict.reason === "InterfaceMissing" ? [] : [[pool.interfaceName, verdict.message]]
    })
  )
}

const wantedOf = (duties: ReadonlyArray<NodeDuty.Duty>, config: NodeConfig): ReadonlyArray<InterfacePlan.Wanted> =>
  duties.map(({ address, interfaceName, pool }) => {
    const known = config.pools.find((each) => each.pool === pool && each.interfaceName === interfaceName)
    const { isRouted, mode = "auto", uplinks = [] } = known ?? {}
    return { address, interfaceName, mode, uplinks, isRouted }
  })

/** Addresses that nobody served yet, and that are not there: what lies there already was asked for before. */
const candidatesOf = (
  duties: ReadonlyArray<NodeDuty.Duty>,
  { held }: InterfacePlan.InterfacePlan,
  { network: state, pools }: PlanInput
): ReadonlyArray<FirstUse.Candidate> => {
  const unasked = new Set(pools.flatMap((each) => (each.addressConflictDetection === false ? [each.pool] : [])))
  const asked = duties.filter(({ pool, probe }) => probe && !unasked.has(pool))
  if (asked.length === 0) return []
  const isNeighbourly = neighbourlyIn(state)
  const present = heldIn(state)
  const uplinksOf = new Map(held.map(({ address, uplinks }) => [address, uplinks]))
  return asked.flatMap(({ address, allocation, holder }) => {
    const uplinks = present.has(address) ? undefined : uplinksOf.get(address)
    const grant = `${allocation} ${holder.holdId} ${holder.epoch}`
    return uplinks === undefined ? [] : [{ address, uplinks: uplinks.filter(isNeighbourly), grant }]
  })
}

interface PlanInput extends InterfacePlan.Input {
  readonly network: NetworkState
  readonly pools: ReadonlyArray<PoolNetwork>
}

/** For what is used for the first time the network is asked; a round plans without what it does not know yet. */
const planProven = Effect.fnUntraced(function* (
  duties: ReadonlyArray<NodeDuty.Duty>,
  input: PlanInput,
  firstUse: FirstUse.FirstUse
) {
  const plan = InterfacePlan.plan(input)
  const unproven = yield* firstUse.withhold(candidatesOf(duties, plan, input), upIn(input.network))
  if (unproven.size === 0) return plan
  return InterfacePlan.plan({ ...input, wanted: input.wanted.filter(({ address }) => !unproven.has(address)) })
})

/** What the node says of itself in its NodeLease, as the last round or look found it. */
const newReadings = ({ config, fence, nodeAddresses }: Options) => {
  let interfaces: InterfaceReadiness = {}
  let macs: ReadonlyArray<string> = []
  return {
    note: (network: NetworkState) => {
      interfaces = readinessOf(config(), { network, nodeAddresses })
      macs = ownMacsIn(network, [...fence.current().uplinks, ...network.defaultRouteInterfaces])
    },
    interfaces: () => interfaces,
    macs: () => macs,
    isOwnMac: (mac: string) => macs.includes(mac) || config().macs?.includes(mac) === true
  }
}

/**
 * By which clients may come: also for what is about to go, and for pools of which nothing is held. One that was an uplink stays
 * one: its default route goes while its cable is out, and the fence must stand when it is plugged in again.
 */
const uplinksOf = (
  { pools }: NodeConfig,
  { held }: InterfacePlan.InterfacePlan,
  { defaultRouteInterfaces }: NetworkState,
  known: ReadonlyArray<string>
): ReadonlyArray<string> => [
  ...new Set([
    ...known,
    ...defaultRouteInterfaces,
    ...pools.flatMap(({ interfaceName, mode, uplinks }) => (mode === "uplink" ? [...uplinks, interfaceName] : uplinks)),
    ...held.flatMap(({ uplinks }) => uplinks)
  ])
]

const isPresentIn = (state: NetworkState): ((address: Address.Address) => boolean) => {
  const held = heldIn(state)
  return (address) => held.has(address)
}

const isAddedIn = (changes: ReadonlyArray<InterfacePlan.Change>): ((address: Address.Address) => boolean) => {
  const added = new Set(changes.flatMap((each) => (each._tag === "Add" ? [each.address] : [])))
  return (address) => added.has(address)
}

/** Applies all changes at once: the adapter puts whatever waits into one process, in this order. True: all succeeded. */
const applyAll = Effect.fnUntraced(function* (
  changes: ReadonlyArray<InterfacePlan.Change>,
  network: NodeNetwork["Service"],
  announcer: Announcer.Announcer
) {
  const change = (each: InterfacePlan.Change) =>
    each._tag === "Add"
      ? network.addAddress(each)
      : Effect.suspend(() => {
          announcer.stop(each.address)
          return network.removeAddress(each, each.prefixLength)
        })
  const results = yield* Effect.forEach(changes, (each) => Effect.result(change(each)), { concurrency: "unbounded" })
  for (const [index, result] of results.entries()) {
    const done = changes[index]
    if (done === undefined) continue
    const log = Result.isSuccess(result) ? Effect.logInfo("changed") : Effect.logError("not changed")
    const error = Result.isFailure(result) ? { error: result.failure.message } : {}
    yield* log.pipe(Effect.annotateLogs({ change: InterfacePlan.render(done), ...error }))
  }
  return results.every(Result.isSuccess)
})

/** An IPAllocation that cannot be decoded is not one that is gone: what its labels claim is left where it is. */
const withoutUnreadable = (
  changes: ReadonlyArray<InterfacePlan.Change>,
  { undecodable }: Reflector<IPAllocation>
): ReadonlyArray<InterfacePlan.Change> => {
  if (undecodable.size === 0) return changes
  const claimed = new Set([...undecodable.values()].flatMap(({ metadata }) => claimsInLabels(metadata.labels ?? {})))
  return changes.filter((each) => each._tag === "Add" || !claimed.has(each.address))
}

/**
 * What v0.4 put on this node stays until the controller has stamped our hold id on it: the start-up cleaning comes first,
 * and would take an address that is being served from its interface.
 */
const withoutUnstamped = (
  changes: ReadonlyArray<InterfacePlan.Change>,
  allocations: ReadonlyArray<IPAllocation>,
  node: string
): ReadonlyArray<InterfacePlan.Change> => {
  const unstamped = new Set<string>(
    allocations
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .flatMap(({ spec }) => spec.allocations)
      .flatMap(({ address, holdId, nodeName }) => (nodeName === node && holdId === undefined ? [address] : []))
  )
  return changes.filter((each) => each._tag === "Add" || !unstamped.has(each.address))
}

/** Refusals are said when they change, not in every round. */
const newTeller = () => {
  let told = ""
  return Effect.fnUntraced(function* (plan: InterfacePlan.InterfacePlan) {
    const sentences = plan.refusals.map(({ message, reason }) => `${reason}: ${message}`)
    const text = [...new Set(sentences)].join("\n")
    if (text !== told && text !== "") yield* Effect.logWarning(text)
    told = text
  })
}

/** What was not removed, or not yet, stays remembered, or nobody would know it as ours again. */
const newMemory = () => {
  const remembered = new Map<string, InterfacePlan.Remembered>()
  const note = (plan: InterfacePlan.InterfacePlan, allDone: boolean, { interfaces: all }: NetworkState) => {
    const indexOf = new Map(all.map(({ index, name }) => [name, index]))
    // One that is refused where it is wanted is left where it is.
    const left = new Set<string>(plan.refusals.map(({ address }) => address))
    if (allDone) for (const address of remembered.keys()) if (!left.has(address)) remembered.delete(address)
    for (const { address, interfaceName } of plan.held) {
      remembered.set(address, { address, interfaceName, interfaceIndex: indexOf.get(interfaceName) })
    }
  }
  return { note, places: () => remembered.values() }
}

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Keeper, never, NodeNetwork | Scope.Scope> {
  const network = yield* NodeNetwork
  const announcer = yield* Announcer.make
  const exclusive = yield* Semaphore.make(1)
  const memory = newMemory()
  const viewOf = views()
  let phase: "startup" | "steady" = "startup"
  const readings = newReadings(options)
  const tell = newTeller()
  const news = News.make(options.node, announcer)
  const forgetFlows = yield* Flows.make
  const firstUse = yield* FirstUse.make({ isOwnMac: readings.isOwnMac, wake: options.wake })
  const reporter = yield* StatusReporter.make(options)

  const round = Effect.fnUntraced(function* (holdId: HoldId | undefined) {
    const self: NodeDuty.Self = { node: options.node, holdId, lastHoldId: options.lastHoldId() }
    const config = options.config()
    const beganMillis = yield* monotonicMillis
    const before = yield* network.state
    const allocations = [...options.allocations.values()]
    const facts = { network: before, nodeAddresses: options.nodeAddresses }
    const duties = Duties.of(allocations.map(viewOf), self, options.verdictOf)
    readings.note(before)
    const input = {
      ...facts,
      wanted: wantedOf(duties.proven, config),
      pools: config.pools,
      remembered: [...reportedAs(allocations, options.node), ...memory.places()],
      phase
    }
    const plan = yield* planProven(duties.proven, input, firstUse)
    yield* tell(plan)
    const left = duties.withoutUnknown(withoutUnstamped(plan.changes, allocations, options.node))
    const changes = holdId === undefined ? plan.changes : withoutUnreadable(left, options.allocations)
    const lossOf = ControlPlaneLoss.lossesOf([...duties.proven, ...duties.undecided], config.pools)
    const fenceWhile = ({ isInPlace, isPresent }: Pick<FencePlan.Input, "isInPlace" | "isPresent">) => {
      const current = options.fence.current()
      const parts = { plan, carriedOut: changes, undecided: duties.undecided, isPresent, isInPlace, lossOf, current }
      const content = FencePlan.contentOf(parts)
      return options.fence.set({ ...content, uplinks: uplinksOf(config, plan, before, current.uplinks) })
    }
    const wasPresent = isPresentIn(before)
    if (changes.length > 0) yield* fenceWhile({ isPresent: wasPresent, isInPlace: wasPresent })
    const changed = yield* applyAll(changes, network, announcer)
    yield* forgetFlows(Flows.concerned(changes, duties.proven, config.pools))
    const after = changes.length === 0 ? before : yield* network.state
    const isDone = changed && areGone(changes, after)
    memory.note(plan, isDone && changes.length === plan.changes.length, before)
    const held = heldIn(after)
    const isHeld = heldAsPlanned(plan, held, upIn(after))
    yield* fenceWhile({ isPresent: (address) => held.has(address), isInPlace: isHeld })
    const { failed, notNow } = yield* news.tell({
      served: plan.held.filter(({ address }) => isHeld(address)),
      allocations,
      isFresh: isAddedIn(changes),
      canAnnounceOn: announceableIn(after),
      mayServe: options.mayServe(holdId)
    })
    const changingMillis = changes.length === 0 ? 0 : (yield* monotonicMillis) - beganMillis
    const isAnnounced = (address: Address.Address) => !failed.has(address) && !notNow.has(address)
    const keptFor = (view: NodeDuty.AllocationView) => duties.keptFor(view, { ...firstUse, isHeld, isAnnounced })
    const isReported = yield* reporter.reportAll({ self, allocations, keptFor, viewOf, isHeld })
    // A start-up cleaning that failed is tried again as such.
    if (isDone) phase = "steady"
    const reported = isReported && notNow.size === 0 && duties.areAllProven()
    return { changingMillis, applied: isDone && failed.size === 0, reported }
  })

  // An operator that can announce nothing must not be given addresses: nobody would come to it.
  const look = Effect.andThen(network.canSend, Effect.map(network.state, readings.note))
  return { ...readings, look, round: (holdId) => exclusive.withPermit(round(holdId)) }
})
