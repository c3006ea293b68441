/**
 * One step of one Service at its cloud: observe, plan, do the first thing that the cloud is asked for. A queue of its own,
 * since an operation takes seconds, and for minutes where requests are rationed: no other Service waits for it.
 */
import { Data, Effect, Semaphore } from "effect"
import type { IPAllocation } from "../../api/IPAllocation.ts"
import { ipAllocations } from "../../api/IPAllocation.ts"
import { entriesOf, intentsOf } from "../../api/AllocationEntries.ts"
import type { Entry, Intent } from "../../domain/Hold.ts"
import type { Pool } from "../../domain/Pool.ts"
import * as Plan from "../../domain/Plan.ts"
import { sameIntent } from "../../domain/Target.ts"
import type { CloudError } from "../../ports/Cloud.ts"
import { Kubernetes, type KubernetesError } from "../../ports/Kubernetes.ts"
import { writing } from "../../reconcile/ReadBack.ts"
import { refOf } from "../../reconcile/Reflector.ts"
import type { Outcome, StepFailure } from "../../reconcile/WorkQueue.ts"
import * as AllocationWriter from "../AllocationWriter.ts"
import { Caches } from "../Caches.ts"
import { isUnreadable, observe, type Observation, type Reconciling } from "../Observation.ts"
import { lasting, type Trouble, troubleOf } from "./CloudTrouble.ts"
import * as CloudWriter from "./CloudWriter.ts"

export interface Options extends Reconciling {
  /** What was done lets the Service go on. */
  readonly onDone: (key: string, change: Plan.CloudChange) => void
  /** Users are to be told of a trouble, or of its end. */
  readonly onTold: (key: string) => void
  readonly oneByOne: OneByOne
}

type OneByOne = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** A purchase that was begun is that of the pool which buys, also when another has its name by now. */
const poolOf = ({ books }: Reconciling, what: Entry | Intent): Pool | undefined =>
  "address" in what ? books.poolOfEntry(what) : (books.buyerNamed(what.pool) ?? books.poolNamed(what.pool))

const deskOf = ({ cloud }: Observation, options: Reconciling, what: Entry | Intent): CloudWriter.Desk | undefined => {
  const { books } = options
  const pool = poolOf(options, what)
  const project = pool === undefined ? undefined : books.clouds.viewOf(pool)
  return pool === undefined || project === undefined ? undefined : { book: books.clouds, view: cloud, pool, project }
}

/** The pool is gone for good, or of no cloud any more: nobody can tell what to return, or where. */
const isLost = (options: Reconciling, what: Entry | Intent): boolean =>
  !options.books.isUnreadable(what.pool) && poolOf(options, what)?.cloud === undefined

const capReached = (poolName: string, max: number): Trouble =>
  lasting({
    reason: "SpendCapReached",
    message:
      `pool ${poolName} has bought ${max} addresses, which is its spec.maxAddresses. ` +
      "Raise it, or delete a Service that has one."
  })

class Withdrawn extends Data.TaggedError("Withdrawn") {}

/**
 * Asked of the API server itself: a leader that stood still knows of nothing that its successor has done meanwhile, and what it
 * buys is paid for until it is swept.
 */
const stillIntended = Effect.fnUntraced(function* (
  key: string,
  intent: Intent,
  known: IPAllocation | undefined,
  kubernetes: Kubernetes["Service"]
): Effect.fn.Return<void, KubernetesError | Withdrawn> {
  const now = yield* kubernetes.get(ipAllocations, refOf(key)).pipe(
    Effect.catchIf(
      ({ isGone }) => isGone,
      () => Effect.succeed(undefined)
    )
  )
  const isSame = now !== undefined && now.metadata.uid === known?.metadata.uid
  if (isSame && now.metadata.deletionTimestamp === undefined && intentsOf(now).some((each) => sameIntent(each, intent)))
    return
  return yield* new Withdrawn()
})

/** Counted and bought one after the other: two that buy at once would both find room. */
const buyWithinCap = (
  { intent, location }: Extract<Plan.Change, { readonly _tag: "Buy" }>,
  desk: CloudWriter.Desk,
  { books, oneByOne }: Options,
  permission: Effect.Effect<void, KubernetesError | Withdrawn>
) => {
  const { pool, view } = desk
  const max = pool.cloud?.maxAddresses
  const buy = Effect.as(CloudWriter.buy(desk, intent.family, location, permission), undefined)
  if (max === undefined) return buy
  const isKnown = () => view.bought(pool).some(({ family }) => family === intent.family)
  return oneByOne(
    pool.name,
    Effect.suspend(() =>
      isKnown() || books.countBought(pool) < max ? buy : Effect.succeed(capReached(pool.name, max))
    )
  )
}

interface Due<A> {
  readonly what: A
  /** Undefined: it is lost. */
  readonly desk: CloudWriter.Desk | undefined
}

interface AllDue {
  readonly entries: ReadonlyArray<Due<Entry>>
  readonly intents: ReadonlyArray<Due<Intent>>
}

/** What is known to be back, and after how many ms the next may be: 0 when all are. */
interface GivenBack {
  readonly entries: ReadonlyArray<Entry>
  readonly intents: ReadonlyArray<Intent>
  readonly restMillis: number
}

/** Whatever becomes of the views of projects meanwhile: each is given back where it was when all of this began. */
const giveBackAll = Effect.fnUntraced(function* ({ entries, intents }: AllDue, allocation: IPAllocation) {
  const kept = entriesOf(allocation).filter(({ address }) => !entries.some(({ what }) => what.address === address))
  const rests: Array<number> = []
  const giveBack = <A>(
    all: ReadonlyArray<Due<A>>,
    one: (desk: CloudWriter.Desk, what: A) => Effect.Effect<number, CloudError>
  ) =>
    Effect.filter(all, ({ desk, what }) =>
      Effect.map(desk === undefined ? Effect.succeed(0) : one(desk, what), (restMillis) => {
        if (restMillis > 0) rests.push(restMillis)
        return restMillis === 0
      })
    )
  const backEntries = yield* giveBack(entries, CloudWriter.returnEntry)
  const backIntents = yield* giveBack(intents, (desk, what) => CloudWriter.returnIntent(desk, what, kept))
  return {
    entries: backEntries.map(({ what }) => what),
    intents: backIntents.map(({ what }) => what),
    restMillis: rests.length === 0 ? 0 : Math.min(...rests)
  } satisfies GivenBack
})

const withoutThese = (allocation: IPAllocation, { entries, intents }: GivenBack) => ({
  entries: entriesOf(allocation).filter(({ address }) => !entries.some((each) => each.address === address)),
  intents: intentsOf(allocation).filter((each) => !intents.some((other) => sameIntent(each, other)))
})

/** What keeps a change from being done, in words; `failure`: by its category it is tried again; `afterMillis`: then. */
interface Refused {
  readonly trouble?: Trouble
  readonly failure?: CloudError
  readonly afterMillis?: number
}

/** False: nothing can be done before the project can be used. */
const apply = (key: string, change: Plan.CloudChange, observation: Observation, options: Options) =>
  Effect.gen(function* () {
    const caches = yield* Caches
    const { allocation } = observation
    switch (change._tag) {
      case "Buy": {
        const desk = deskOf(observation, options, change.intent)
        if (desk === undefined) return false
        const permission = stillIntended(key, change.intent, allocation, yield* Kubernetes)
        return yield* buyWithinCap(change, desk, options, permission).pipe(
          Effect.map((trouble) => (trouble === undefined ? true : { trouble })),
          Effect.catchTag("Withdrawn", () => Effect.succeed(false))
        )
      }
      case "Route": {
        const desk = deskOf(observation, options, change.entry)
        if (desk === undefined) return false
        yield* CloudWriter.route(desk, change.entry, change.isShown ? "failover" : "normal")
        return true
      }
      case "Name": {
        const desk = deskOf(observation, options, change.entry)
        if (desk === undefined) return false
        yield* CloudWriter.name(desk, change.entry, change.name)
        return true
      }
      case "Return": {
        if (allocation === undefined) return false
        const dueOf = <A extends Entry | Intent>(what: A): ReadonlyArray<Due<A>> => {
          const desk = deskOf(observation, options, what)
          return desk !== undefined || isLost(options, what) ? [{ what, desk }] : []
        }
        const due = { entries: change.entries.flatMap(dueOf), intents: change.intents.flatMap(dueOf) }
        if (due.entries.length + due.intents.length === 0) return false
        const back = yield* giveBackAll(due, allocation)
        if (back.entries.length + back.intents.length === 0) return { afterMillis: back.restMillis }
        const write = AllocationWriter.settle(allocation, withoutThese(allocation, back), observation.observed.isFenced)
        yield* writing(write, ipAllocations, refOf(key), caches.allocations)
        return true
      }
    }
  })

const isOfCloud = (error: CloudError | KubernetesError): error is CloudError => error._tag === "CloudError"

/**
 * The first that can be done. What is refused holds up none of the others: the route of what is served must follow its node
 * though another address cannot be bought, and what is given back may be what makes room for it.
 */
const applyFirst = Effect.fnUntraced(function* (
  key: string,
  changes: ReadonlyArray<Plan.CloudChange>,
  observation: Observation,
  options: Options
) {
  let refused: Refused = {}
  for (const change of changes) {
    const result: boolean | Refused = yield* apply(key, change, observation, options).pipe(
      Effect.catchIf(isOfCloud, (failure) => Effect.succeed({ trouble: troubleOf(failure), failure }))
    )
    if (result === true) return { ...refused, done: change }
    if (result !== false) refused = { ...result, ...refused }
  }
  return { ...refused, done: undefined }
})

/**
 * The provider's adapter paces the requests of a whole project: what each Service waited by itself would be waited twice. And
 * what a read has not may be one of a moment before it was bought: whether it is gone, the follower of the project finds out.
 */
const failureOf = ({ category, message, reason, retryAfterMillis }: CloudError): StepFailure => ({
  category: category === "throttled" || reason._tag === "NotFound" ? "transient" : category,
  message,
  retryAfterMillis
})

export const step = (options: Options) =>
  Effect.fnUntraced(
    function* (key: string): Effect.fn.Return<Outcome, StepFailure, Kubernetes | Caches> {
      const { clouds } = options.books
      // Whatever ends here is not tried again by itself.
      clouds.setRetried(key, undefined)
      if (!(yield* options.isLeader) || (yield* isUnreadable(key))) return "settled"
      const observation = yield* observe(key, options)
      const changes = Plan.plan(observation.wanted, observation.observed)
      const asked = changes.filter(Plan.isOfCloud)
      const { afterMillis, done, failure, trouble } = yield* applyFirst(key, asked, observation, options)
      const isTold = asked.length === 0 || done !== undefined || trouble !== undefined
      if (isTold && clouds.setServiceTrouble(key, trouble)) options.onTold(key)
      if (done === undefined) {
        if (failure === undefined && afterMillis === undefined) return "settled"
        clouds.setRetried(key, Plan.renderOfCloud(changes))
        return failure === undefined ? { afterMillis: afterMillis ?? 0 } : yield* Effect.fail(failureOf(failure))
      }
      yield* Effect.logInfo("cloud: change applied").pipe(Effect.annotateLogs({ change: Plan.render(done) }))
      options.onDone(key, done)
      return "again"
    },
    (effect, key) => Effect.annotateLogs(effect, { service: key })
  )

/** What has the same name waits for each other. */
export const oneByOne = (): OneByOne => {
  const permits = new Map<string, Semaphore.Semaphore>()
  return (name, effect) => {
    const permit = permits.get(name) ?? Semaphore.makeUnsafe(1)
    permits.set(name, permit)
    return Semaphore.withPermit(permit, effect)
  }
}
