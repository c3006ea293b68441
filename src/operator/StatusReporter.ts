/**
 * What this node acknowledges, written into `status.addresses` by server-side apply under a field manager of its own:
 * each apply repeats all of this node's entries of that IPAllocation, since one that is left out is removed.
 */
import { Effect, Fiber, Option, type Scope, Semaphore } from "effect"
import type { AddressStatus, IPAllocation } from "../api/IPAllocation.ts"
import { ipAllocations } from "../api/IPAllocation.ts"
import { apiVersion, operatorFieldManager } from "../api/Names.ts"
import type { Acknowledgement } from "../domain/Hold.ts"
import * as NodeDuty from "../domain/NodeDuty.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import { writing } from "../reconcile/ReadBack.ts"
import type { Reflector } from "../reconcile/Reflector.ts"
import * as Timestamp from "../reconcile/Timestamp.ts"
import { Patience } from "./Patience.ts"
import { Untold } from "./Untold.ts"

const interfaceOf = (allocation: IPAllocation, address: string): string | undefined =>
  allocation.spec.allocations.find((entry) => entry.address === address)?.networkInterface

const sameAs = (present: AddressStatus, wanted: Acknowledgement): boolean =>
  present.address === wanted.address &&
  present.holdId === wanted.holdId &&
  present.epoch === wanted.epoch &&
  present.phase === wanted.phase &&
  present.mac === wanted.mac

/** The entries to apply; undefined: they stand there already. `since` moves only when the phase or its holder did. */
export const entriesToApply = (
  allocation: IPAllocation,
  wanted: ReadonlyArray<Acknowledgement>,
  node: string,
  now: string
): ReadonlyArray<AddressStatus> | undefined => {
  const present = (allocation.status?.addresses ?? []).filter((entry) => entry.node === node)
  const unchanged =
    present.length === wanted.length && wanted.every((each) => present.some((entry) => sameAs(entry, each)))
  if (unchanged) return undefined
  return wanted.map(({ address, epoch, holdId, mac, phase }) => {
    const before = present.find((entry) => entry.address === address)
    const kept = before !== undefined && before.phase === phase && before.epoch === epoch
    const interfaceName = interfaceOf(allocation, address) ?? before?.interface
    return {
      address,
      node,
      holdId,
      epoch,
      phase,
      ...(mac === undefined ? {} : { mac }),
      since: (kept ? before.since : undefined) ?? now,
      ...(interfaceName === undefined ? {} : { interface: interfaceName })
    }
  })
}

const apply = Effect.fnUntraced(function* (
  { allocation, entries: addresses }: Report,
  node: string,
  cache: Reflector<IPAllocation>
) {
  const kubernetes = yield* Kubernetes
  // The version, since the status of a custom resource takes any uid: an object that was made anew under this name has
  // the same epochs, and must not be told that it is served.
  const { name, namespace, resourceVersion, uid } = allocation.metadata
  const write = kubernetes.apply(
    ipAllocations,
    { apiVersion, kind: "IPAllocation", metadata: { name, namespace, uid, resourceVersion }, status: { addresses } },
    { fieldManager: operatorFieldManager(node), force: true, subresource: "status" }
  )
  yield* writing(write, ipAllocations, { name, namespace }, cache)
})

/**
 * Each request at once is a TLS connection, and memory that OpenSSL touched stays with the process: with 32 an operator
 * was 5 MiB larger, and no sooner done (docs/facts/memory.md).
 */
const REQUESTS_AT_ONCE = 8

/** The next round may have to take an address off; what is under way goes on beside it. */
const AWAITED_MILLIS = 1_000

export interface Reporting {
  readonly self: NodeDuty.Self
  /** Those by which the kernel was changed: of what came in meanwhile, `keptFor` knows nothing. */
  readonly allocations: ReadonlyArray<IPAllocation>
  /** What this allocation has of the kernel. */
  readonly keptFor: (allocation: NodeDuty.AllocationView) => NodeDuty.Kept
  readonly viewOf: (allocation: IPAllocation) => NodeDuty.AllocationView
  /** On this node, as far as the round knows. */
  readonly isHeld: NodeDuty.Kept["isHeld"]
}

interface Report {
  readonly allocation: IPAllocation
  readonly entries: ReadonlyArray<AddressStatus>
}

/** The next holder waits for it. */
const tellsRelease = ({ entries }: Report): boolean => entries.some(({ phase }) => phase === "Released")

/**
 * Served elsewhere before, and now here: it is published already, so that nobody waits for this. What a cloud routes waits
 * for it, as does what is shown for the first time.
 */
const tellsTakeover = ({ allocation: { spec, status }, entries }: Report): boolean =>
  entries.length > 0 &&
  spec.allocations.every(({ cloudProvider }) => cloudProvider === undefined) &&
  entries.every(
    ({ address, node, phase }) =>
      phase === "Serving" &&
      status?.addresses?.some((other) => other.address === address && other.node !== node) === true
  )

/** Something waits to be served that the round did not know of, and another round is due. */
const overtaking = (
  { allocations, isHeld, self, viewOf }: Reporting,
  cache: Reflector<IPAllocation>
): (() => boolean) => {
  const known = new Set(allocations)
  const isNew = (each: IPAllocation) => !known.has(each) && NodeDuty.takesOver(viewOf(each), self, isHeld)
  return () => [...cache.values()].some(isNew)
}

/** Those of these that are to be written now; for the others it asks for another round. */
const newReady = (wake: () => void, scope: Scope.Scope) => {
  const untold = new Untold()
  let isToWake = false
  const waking = Effect.sync(() => {
    isToWake = false
    wake()
  })
  return Effect.fnUntraced(function* (reports: ReadonlyArray<Report>) {
    const takeovers = reports.filter(tellsTakeover)
    const uids = takeovers.map(({ allocation }) => allocation.metadata.uid)
    const restMillis = untold.restMillis(uids, yield* monotonicMillis)
    if (restMillis === 0) return reports
    if (!isToWake) yield* Effect.forkIn(Effect.delay(waking, restMillis), scope)
    isToWake = true
    return reports.filter((report) => !tellsTakeover(report))
  })
}

export interface StatusReporter {
  /**
   * Reports on these IPAllocations. Does not wait to the end when something is to be taken over meanwhile, since clients wait for
   * that: what is under way goes on beside the rounds that follow. True: nothing is left to be said.
   */
  readonly reportAll: (reporting: Reporting) => Effect.Effect<boolean, never, Kubernetes>
}

export interface Options {
  readonly allocations: Reflector<IPAllocation>
  /** Answers once for all changes of the cache since the last time. */
  readonly changed: Effect.Effect<void>
  /** Asks for another round. */
  readonly wake: () => void
}

export const make = Effect.fnUntraced(function* ({
  allocations: cache,
  changed,
  wake
}: Options): Effect.fn.Return<StatusReporter, never, Scope.Scope> {
  const scope = yield* Effect.scope
  /** By uid; a second one beside it would meet its own conflict. */
  const underWay = new Set<string | undefined>()
  const ready = newReady(wake, scope)
  const patience = new Patience()
  const oneOfFew = (yield* Semaphore.make(REQUESTS_AT_ONCE)).withPermit

  const write = Effect.fnUntraced(function* (report: Report, isOvertaken: () => boolean, node: string) {
    // Nobody waits for it as clients do for what is to be taken over: it comes after that.
    if (!tellsRelease(report) && isOvertaken()) return false
    return yield* apply(report, node, cache).pipe(
      Effect.as(true),
      Effect.catch((error) =>
        // Deleted meanwhile: there is nobody left to tell.
        error.isGone || error.reason._tag === "Conflict"
          ? Effect.succeed(true)
          : Effect.as(notReported(error.message), false)
      )
    )
  })

  /** What is written late after all is refused by its version if anything has changed. */
  const inTime = Effect.fnUntraced(function* (written: Effect.Effect<boolean, never, Kubernetes>, onLate: () => void) {
    const { millis } = patience
    const sentAtMillis = yield* monotonicMillis
    const answer = yield* Effect.timeoutOption(written, millis)
    if (Option.isSome(answer)) {
      patience.answered((yield* monotonicMillis) - sentAtMillis)
      return answer.value
    }
    patience.givenUp(millis)
    onLate()
    yield* notReported(`the API server did not answer within ${millis} ms`)
    return false
  })

  /** Once one is not answered, what is not sent yet is left to another round: something more urgent may come with it. */
  const writeAll = (due: ReadonlyArray<Report>, isOvertaken: () => boolean, node: string) => {
    let isLate = false
    const inTurn = (report: Report) =>
      oneOfFew(
        Effect.suspend(() =>
          isLate ? Effect.succeed(false) : inTime(write(report, isOvertaken, node), () => void (isLate = true))
        )
      ).pipe(Effect.ensuring(Effect.sync(() => underWay.delete(report.allocation.metadata.uid))))
    const inOrder = due.toSorted((one, other) => Number(tellsRelease(other)) - Number(tellsRelease(one)))
    return Effect.map(Effect.forEach(inOrder, inTurn, { concurrency: "unbounded" }), (written) =>
      written.every(Boolean)
    )
  }

  const reportAll: StatusReporter["reportAll"] = Effect.fnUntraced(function* (reporting) {
    const isOvertaken = overtaking(reporting, cache)
    const reports = dueIn(reporting, yield* Timestamp.now)
    const due = yield* ready(reports.filter(({ allocation }) => !underWay.has(allocation.metadata.uid)))
    if (due.length === 0) return reports.length === 0
    for (const { allocation } of due) underWay.add(allocation.metadata.uid)
    let isAwaited = true
    const writing = writeAll(due, isOvertaken, reporting.self.node).pipe(
      Effect.tap((isWhole) => Effect.sync(() => (isAwaited || isWhole ? undefined : wake())))
    )
    const fiber = yield* Effect.forkIn(writing, scope)
    const overtaken: Effect.Effect<boolean> = Effect.suspend(() =>
      isOvertaken() ? Effect.succeed(false) : Effect.flatMap(changed, () => overtaken)
    )
    const late = Effect.as(Effect.sleep(AWAITED_MILLIS), false)
    const isWhole = yield* Effect.raceFirst(Fiber.join(fiber), Effect.raceFirst(overtaken, late))
    isAwaited = false
    return isWhole && due.length === reports.length
  })
  return { reportAll }
})

const dueIn = ({ allocations, keptFor, self, viewOf }: Reporting, now: string): ReadonlyArray<Report> =>
  allocations.flatMap((allocation): ReadonlyArray<Report> => {
    const view = viewOf(allocation)
    const wanted = NodeDuty.acknowledge(view, self, keptFor(view))
    const entries = entriesToApply(allocation, wanted, self.node, now)
    return entries === undefined ? [] : [{ allocation, entries }]
  })

const notReported = (error: string) => Effect.logWarning("not reported").pipe(Effect.annotateLogs({ error }))
