/**
 * Waits for the actions of a project, all of them by one request at a time. 201 to an assignment means that it was
 * accepted, and only its action tells whether it was done.
 */
import { Deferred, Effect, Latch, type Scope } from "effect"
import type { CloudError } from "../../ports/Cloud.ts"
import { forkForEver } from "../../reconcile/ForEver.ts"
import { monotonicMillis } from "../../reconcile/Monotonic.ts"
import type { ApiClient } from "./ApiClient.ts"
import { actionsIn } from "./Elements.ts"
import { type Action, ActionsReply } from "./Wire.ts"

/** `unknown`: it vanished, or took too long; what it was for must be read. */
export type Outcome =
  | { readonly type: "success" }
  | { readonly type: "error"; readonly code: string; readonly message: string }
  | { readonly type: "unknown" }

export interface ActionHub {
  readonly outcome: (action: Action) => Effect.Effect<Outcome, CloudError>
}

interface Waiting {
  readonly done: Deferred.Deferred<Outcome, CloudError>
  readonly untilMillis: number
  missedCount: number
}

const pollMillisMin = 500
const pollMillisMax = 5_000
const pollFactor = 1.5
/** As the official Go client asks. */
const idsMax = 25
const patienceMillis = 60_000
/** An action that is not in the answers any more. */
const missedMax = 2

const outcomeOf = ({ error, status }: Action): Outcome | undefined => {
  if (status === "running") return undefined
  if (status === "success") return { type: "success" }
  return { type: "error", code: error?.code ?? "", message: error?.message ?? `the action ended as ${status}` }
}

export const make = Effect.fnUntraced(function* (client: ApiClient): Effect.fn.Return<ActionHub, never, Scope.Scope> {
  const waiting = new Map<number, Waiting>()
  const arrival = yield* Latch.make(false)
  let pollMillis = pollMillisMin

  const settle = (id: number, outcome: Outcome) => {
    const each = waiting.get(id)
    waiting.delete(id)
    return each === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(each.done, outcome))
  }

  const hear = Effect.fnUntraced(function* (ids: ReadonlyArray<number>, actions: ReadonlyArray<Action>) {
    const nowMillis = yield* monotonicMillis
    const answered = new Map(actions.map((action) => [action.id, action]))
    for (const id of ids) {
      const [each, action] = [waiting.get(id), answered.get(id)]
      if (each === undefined) continue
      each.missedCount = action === undefined ? each.missedCount + 1 : 0
      const outcome = action === undefined ? undefined : outcomeOf(action)
      if (outcome !== undefined) yield* settle(id, outcome)
      else if (each.missedCount >= missedMax || nowMillis >= each.untilMillis) yield* settle(id, { type: "unknown" })
    }
  })

  /** Who cannot ask will not be told; what fails in passing is asked again until the patience ends. */
  const giveUp = Effect.fnUntraced(function* (ids: ReadonlyArray<number>, error: CloudError) {
    const nowMillis = yield* monotonicMillis
    for (const id of ids) {
      const each = waiting.get(id)
      if (each === undefined || (error.category !== "permanent" && nowMillis < each.untilMillis)) continue
      waiting.delete(id)
      yield* Deferred.fail(each.done, error)
    }
  })

  const ask = Effect.fnUntraced(function* (ids: ReadonlyArray<number>) {
    const query = ids.map((id) => ["id", String(id)] as const)
    yield* client.call({ method: "GET", path: "/actions", query, reply: ActionsReply, priority: "failover" }).pipe(
      Effect.flatMap((reply) => hear(ids, actionsIn(reply))),
      Effect.catch((error) => giveUp(ids, error))
    )
  })

  const round = Effect.gen(function* () {
    if (waiting.size === 0) {
      yield* arrival.await
      pollMillis = pollMillisMin
    }
    yield* Effect.sleep(pollMillis)
    const ids = [...waiting.keys()]
    for (let first = 0; first < ids.length; first += idsMax) yield* ask(ids.slice(first, first + idsMax))
    pollMillis = Math.min(pollMillisMax, pollMillis * pollFactor)
    if (waiting.size === 0) arrival.closeUnsafe()
  })
  yield* forkForEver("actions of the cloud", round)

  const outcome = Effect.fnUntraced(function* (action: Action) {
    const known = outcomeOf(action)
    if (known !== undefined) return known
    const untilMillis = (yield* monotonicMillis) + patienceMillis
    const before = waiting.get(action.id)
    // In one step with the look before: of two Deferreds only the later one would ever be completed.
    const each: Waiting = before ?? { done: Deferred.makeUnsafe<Outcome, CloudError>(), untilMillis, missedCount: 0 }
    waiting.set(action.id, each)
    pollMillis = pollMillisMin
    arrival.openUnsafe()
    return yield* Deferred.await(each.done)
  })

  return { outcome }
})
