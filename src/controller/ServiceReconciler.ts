/**
 * One step for one Service: observe, plan, apply the first change. The queue calls it again until nothing is left.
 * Leadership is asked before every effect; a replica that does not lead settles, and a new leader looks at every key.
 */
import { Effect } from "effect"
import type { IPAllocation } from "../api/IPAllocation.ts"
import { ipAllocations } from "../api/IPAllocation.ts"
import type { KubernetesObject, ResourceType } from "../api/KubernetesObject.ts"
import type { Service } from "../api/Service.ts"
import { services } from "../api/Service.ts"
import * as Assignment from "../domain/Assignment.ts"
import * as Hold from "../domain/Hold.ts"
import * as Plan from "../domain/Plan.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import type { KubernetesError } from "../ports/Kubernetes.ts"
import { monotonicMillis } from "../reconcile/Monotonic.ts"
import { Pace, repeatingPace } from "../reconcile/Pace.ts"
import { writing } from "../reconcile/ReadBack.ts"
import { type Reflector, refOf } from "../reconcile/Reflector.ts"
import type { Outcome } from "../reconcile/WorkQueue.ts"
import * as AllocationWriter from "./AllocationWriter.ts"
import { Caches } from "./Caches.ts"
import { LATE_MILLIS } from "./CandidateList.ts"
import type { Events } from "./Events.ts"
import { isUnreadable, observe, type Observation, type Reconciling } from "./Observation.ts"
import * as ServiceCondition from "./ServiceCondition.ts"
import * as ServiceNotices from "./ServiceNotices.ts"
import type { WantedState } from "./WantedState.ts"

/**
 * Claims what is granted for the first time, writes, and takes the claims back if nothing was written. Two workers that
 * decide at once for two Services cannot be granted one address: the second finds it claimed and plans again. `isDecided`:
 * another version than was written upon is known, so that what it claims is so, and what it does not claim was not written.
 * Until then what was not answered may have been written, and is reserved up to the next step for this Service.
 */
const withClaims = <A, R>(
  write: Effect.Effect<A, KubernetesError, R>,
  { service, wanted }: Observation,
  { books }: Reconciling,
  isDecided: () => boolean
): Effect.Effect<A | "taken", KubernetesError, R> =>
  Effect.suspend((): Effect.Effect<A | "taken", KubernetesError, R> => {
    const claimant = {
      namespace: service?.metadata.namespace ?? "",
      name: service?.metadata.name ?? "",
      uid: service?.metadata.uid ?? ""
    }
    const release = () => {
      for (const { address } of wanted.fresh) books.addresses.release(address, claimant)
    }
    const claimed = wanted.fresh.every(({ address, pool }) => books.addresses.reserve(address, { ...claimant, pool }))
    if (!claimed) {
      release()
      return Effect.succeed("taken")
    }
    return write.pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          if (error.category !== "ambiguous" || isDecided()) release()
        })
      ),
      Effect.onInterrupt(() => Effect.sync(release))
    )
  })

/** What is told to users only, at low priority. */
type Told = Extract<Plan.Change, { readonly _tag: "Report" | "Condition" }>

const isHere = (change: Plan.Change): change is Exclude<Plan.Change, Plan.CloudChange> => !Plan.isOfCloud(change)

const isTold = (change: Plan.Change): change is Told => change._tag === "Report" || change._tag === "Condition"

const apply = Effect.fnUntraced(function* (
  key: string,
  change: Exclude<Plan.Change, Told | Plan.CloudChange>,
  observation: Observation,
  reconciling: Reconciling
) {
  const caches = yield* Caches
  const { allocation, service } = observation
  const { isFenced } = observation.observed
  const ref = refOf(key)
  const onAllocation = <B extends IPAllocation | void>(write: Effect.Effect<B, KubernetesError, Kubernetes>) =>
    writing(write, ipAllocations, ref, caches.allocations)
  switch (change._tag) {
    case "Create":
      if (service === undefined) return
      yield* withClaims(
        onAllocation(AllocationWriter.create(service, change)),
        observation,
        reconciling,
        () => caches.allocations.get(key) !== undefined
      )
      return
    case "Assign":
      if (service === undefined || allocation === undefined) return
      yield* withClaims(
        onAllocation(AllocationWriter.assign(service, allocation, change, isFenced)),
        observation,
        reconciling,
        () => caches.allocations.get(key)?.metadata.resourceVersion !== allocation.metadata.resourceVersion
      )
      return
    case "Show":
      if (service === undefined) return
      yield* writing(AllocationWriter.show(service, change.addresses), services, ref, caches.services)
      return
    case "Delete":
      if (allocation === undefined) return
      yield* onAllocation(AllocationWriter.remove(allocation, isFenced))
      yield* seeDeleted(key)
      return
    case "Label":
      if (allocation !== undefined) yield* onAllocation(AllocationWriter.label(allocation, isFenced))
      return
    case "Finalize":
      if (allocation !== undefined) yield* onAllocation(AllocationWriter.finalize(allocation))
  }
})

/**
 * A NodeLease may arrive a moment later than the IPAllocation that names its hold id; who was granted what another has is
 * soon given another address; and whoever comes to lead reads the projects of its clouds first.
 */
const transitionalReasons: ReadonlySet<string> = new Set(["HolderNotRecognised", "AddressClaimedTwice", "CloudNotRead"])

const isTransitional = ({ lack, report }: WantedState): boolean =>
  report.state === "pending" && (lack === undefined || transitionalReasons.has(lack.reason))

/**
 * The answer to these carries no newer version, so the cache knows of them by the watch alone: asked again before that,
 * it would repeat them as fast as the API server answers.
 */
const endsHere = ({ _tag }: Plan.Change): boolean => _tag === "Delete" || _tag === "Finalize"

/** What the API server has now, which the cache takes over; undefined: it is gone. */
const lookAgain = <A extends KubernetesObject, B>(
  type: ResourceType<A>,
  cacheOf: (caches: Caches["Service"]) => Reflector<A>,
  key: string,
  judge: (found: A | undefined) => B
) =>
  Effect.gen(function* () {
    const [caches, kubernetes] = [yield* Caches, yield* Kubernetes]
    return yield* kubernetes.get(type, refOf(key)).pipe(
      Effect.map((found) => {
        cacheOf(caches).absorb(found)
        return judge(found)
      }),
      Effect.catchIf(
        ({ isGone }) => isGone,
        () => Effect.succeed(judge(undefined))
      )
    )
  })

/** The answer to a deletion is no object; what is being deleted must not be shown by who asked for it (ADR 3). */
const seeDeleted = (key: string) =>
  lookAgain(
    ipAllocations,
    ({ allocations }) => allocations,
    key,
    () => undefined
  )

/** Whether it takes an address away that clients may have been told. */
const takesAway = (change: Plan.Change, { observed }: Observation): boolean =>
  change._tag === "Delete" ||
  (change._tag === "Assign" &&
    (observed.allocation?.entries ?? []).some(
      (entry) =>
        !Hold.isLeaving(entry) &&
        !change.entries.some((next) => next.address === entry.address && !Hold.isLeaving(next))
    ))

/**
 * What is taken away is taken from clients at once, and a watch of Services may be behind that of IPAllocations, for minutes
 * when it died in silence: to such a replica a new Service is not there, or is its predecessor, or shows nothing yet. So
 * the API is asked first.
 */
const isAsSeen = (key: string, service: Service | undefined) =>
  lookAgain(
    services,
    (caches) => caches.services,
    key,
    (found) => found === undefined || found.metadata.resourceVersion === service?.metadata.resourceVersion
  )

/** One that is gone is not acted upon any more: its deletion comes by the watch, which asks for the key again. */
const unlessNewer = <A extends KubernetesObject>(
  type: ResourceType<A>,
  cacheOf: (caches: Caches["Service"]) => Reflector<A>,
  key: string,
  seen: A | undefined
) =>
  lookAgain(type, cacheOf, key, (found): Outcome | undefined => {
    if (found === undefined) return "settled"
    return found.metadata.resourceVersion === seen?.metadata.resourceVersion ? undefined : "again"
  })

/** Whether it lets an address be used without asking the network, for no other reason than that the Service shows it. */
const trustsShown = (change: Plan.Change, { observed: { allocation } }: Observation): boolean =>
  (change._tag === "Create" || change._tag === "Assign") &&
  change.entries.some((entry) => {
    const current = allocation?.entries.find(({ address }) => address === entry.address)
    return Assignment.trustsShown(entry, current, allocation?.acknowledgements ?? [])
  })

/**
 * What a Service shows is granted by another object, and no compare-and-set spans both: a replica that comes to lead with
 * a watch that died in silence may know an IPAllocation that its predecessor has deleted, or a Service that shows what was
 * taken from it since, and what a foreign machine may have by now (S16).
 */
const beforeUse = (change: Plan.Change, key: string, observation: Observation) => {
  if (change._tag === "Show" && change.addresses.length > 0) {
    return unlessNewer(ipAllocations, ({ allocations }) => allocations, key, observation.allocation)
  }
  return trustsShown(change, observation)
    ? unlessNewer(services, (caches) => caches.services, key, observation.service)
    : Effect.undefined
}

export interface Queues {
  /** Keys whose state for users is out of date. */
  readonly report: (key: string) => void
  /** Keys for which something is to be asked of a cloud. */
  readonly cloud: (key: string) => void
}

const paceKeyOf = (change: Plan.Change, { allocation, service }: Observation): string =>
  `${service?.metadata.uid} ${allocation?.metadata.uid} ${Plan.render(change)}`

/** What users are told and what clouds are asked for have queues of their own. */
export const step = (reconciling: Reconciling, queues: Queues) => {
  const pace = new Pace(repeatingPace)
  return Effect.fnUntraced(
    function* (key: string): Effect.fn.Return<Outcome, KubernetesError, Kubernetes | Caches> {
      reconciling.books.addresses.releaseOf(key)
      if (!(yield* reconciling.isLeader)) return "settled"
      if (yield* isUnreadable(key)) {
        // It can take nothing that becomes free, and would be woken in the place of others.
        reconciling.books.wait(key, [])
        return "settled"
      }
      const observation = yield* observe(key, reconciling)
      const { awaits, calls } = observation.wanted
      reconciling.books.wait(key, awaits)
      reconciling.nodeBook.candidates.call(key, calls)
      // Whoever is called comes at once, or another must be asked.
      const settled: Outcome = calls.length === 0 ? "settled" : { afterMillis: LATE_MILLIS }
      const changes = Plan.plan(observation.wanted, observation.observed)
      const asked = Plan.renderOfCloud(changes)
      const { clouds, otherLoadBalancer } = reconciling.books
      if (otherLoadBalancer.isDue(key, observation.service, observation.observed.service?.ours === true))
        queues.report(key)
      // What was refused here may have been done by another leader: then nothing is asked, and the refusal is over.
      const isForCloud = asked !== "" || clouds.serviceTrouble(key) !== undefined
      if (isForCloud && !clouds.isRetried(key, asked)) queues.cloud(key)
      const change = changes.find(isHere)
      if (change === undefined) return settled
      if (isTold(change)) {
        queues.report(key)
        return settled
      }
      const waitMillis = pace.take(paceKeyOf(change, observation), yield* monotonicMillis)
      if (waitMillis > 0) return { afterMillis: waitMillis }
      if (takesAway(change, observation) && !(yield* isAsSeen(key, observation.service))) return "again"
      const outcome = yield* beforeUse(change, key, observation)
      if (outcome !== undefined) return outcome
      yield* apply(key, change, observation, reconciling)
      yield* Effect.logInfo("change applied").pipe(Effect.annotateLogs({ change: Plan.render(change) }))
      return endsHere(change) ? "settled" : "again"
    },
    (effect, key) => Effect.annotateLogs(effect, { service: key })
  )
}

const tell = Effect.fnUntraced(function* (key: string, change: Told, observation: Observation) {
  const caches = yield* Caches
  const { allocation, problems, service, wanted } = observation
  if (service === undefined) return
  const ref = refOf(key)
  if (change._tag === "Condition") {
    yield* writing(ServiceCondition.write(service, change.finding), services, ref, caches.services)
  } else if (allocation !== undefined) {
    yield* writing(AllocationWriter.report(allocation, change.report), ipAllocations, ref, caches.allocations)
    yield* ServiceNotices.tell(service, allocation, wanted, problems)
  }
})

const tellOfOther = Effect.fnUntraced(function* (
  key: string,
  { observed, service }: Observation,
  { books: { otherLoadBalancer }, settings }: Reconciling
) {
  const isDue = otherLoadBalancer.isDue(key, service, observed.service?.ours === true)
  if (isDue && service !== undefined) {
    yield* ServiceNotices.warn(service, otherLoadBalancer.noticeFor(key, service, settings))
  }
})

/**
 * A purchase and a route take a provider some seconds, and what is taken over is reported up to one and a half later
 * (`operator/Untold.ts`): to tell of a hundred addresses what will not hold would keep the API server from moving them.
 */
const patienceMillis = ({ entries, purchases }: WantedState): number => {
  if (purchases.length > 0 || entries.some(({ cloudProvider }) => cloudProvider !== undefined)) return 5_000
  return entries.some(({ epoch }) => epoch !== undefined && epoch > 1) ? 3_000 : 1_000
}

/** Two leaders at once may see a cloud, or a node, differently for seconds: each would tell what the other has not. */
const tellingPace = { burst: 6, intervalMillis: 5_000 }

/**
 * The low-priority step: state and message of the IPAllocation, and with them the events; then the condition of the
 * Service. What lacks nothing and is not served yet is given a while: the usual end is `success`, and one write instead
 * of two.
 */
export const reportStep = (reconciling: Reconciling) => {
  /** Since when each key has been on its way. */
  const patience = new Map<string, number>()
  const pace = new Pace(tellingPace)
  return Effect.fnUntraced(function* (
    key: string
  ): Effect.fn.Return<Outcome, KubernetesError, Kubernetes | Caches | Events> {
    if (!(yield* reconciling.isLeader) || (yield* isUnreadable(key))) return "settled"
    const observation = yield* observe(key, reconciling)
    yield* tellOfOther(key, observation, reconciling)
    const change = Plan.plan(observation.wanted, observation.observed).find(isTold)
    const transitional = isTransitional(observation.wanted)
    if (change === undefined || !transitional) patience.delete(key)
    if (change === undefined) return "settled"
    const nowMillis = yield* monotonicMillis
    if (transitional) {
      const since = patience.get(key) ?? nowMillis
      patience.set(key, since)
      const leftMillis = since + patienceMillis(observation.wanted) - nowMillis
      if (leftMillis > 0) return { afterMillis: leftMillis }
    }
    const waitMillis = pace.take(key, nowMillis)
    if (waitMillis > 0) return { afterMillis: waitMillis }
    yield* tell(key, change, observation)
    if (change._tag === "Report") return "again"
    patience.delete(key)
    return "settled"
  })
}
