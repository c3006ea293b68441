/**
 * A keyed queue. One key is never worked on twice at once; a key added while it is in work is worked on once more
 * afterwards, so no change is lost; different keys proceed in parallel up to `concurrency`. A key that fails waits by
 * the category of its error (RetryPolicy) and delays nobody: it holds no worker while it waits. An addition cuts that
 * wait short, except after `throttled`, where the pause is the server's; a failure that follows one makes the next wait no
 * longer, or ten quick changes would cost minutes.
 */
import { Cause, Effect, Queue, Random } from "effect"
import type { Fiber, Scope } from "effect"
import type { Category } from "../ports/Category.ts"
import { delayMillis } from "./RetryPolicy.ts"

/** What a step says when it did not fail. `again`: more to do at once; `settled`: wait for the next event. */
export type Outcome = "again" | "settled" | { readonly afterMillis: number }

export interface StepFailure {
  readonly category: Category
  readonly message: string
  /** The pause that the server asked for. */
  readonly retryAfterMillis?: number | undefined
}

export interface WorkQueue {
  /** Callable from synchronous event handlers. */
  readonly add: (key: string) => void
  /** Keys waiting or in work, failed ones that wait for their retry included. */
  readonly size: () => number
}

interface KeyState {
  phase: "ready" | "working" | "waiting"
  /** Added again while in work. */
  dirty: boolean
  /**
   * By category, since a step last succeeded. Apart, since a refusal doubles seconds: one that follows a long outage, as
   * when the API server starts before it knows its roles, must not wait for minutes.
   */
  failures: Map<Category, number> | undefined
  throttled: boolean
  /** The step begins, or began, before its wait was over. */
  early: boolean
  timer: Fiber.Fiber<void> | undefined
}

export interface Options<R> {
  readonly name: string
  readonly concurrency: number
  readonly step: (key: string) => Effect.Effect<Outcome, StepFailure, R>
}

/** The queue's books: what is known of each key, and the keys that a worker may take. */
class Books {
  readonly keys = new Map<string, KeyState>()
  readonly ready: Queue.Queue<string>

  constructor(ready: Queue.Queue<string>) {
    this.ready = ready
  }

  makeReady(key: string, state: KeyState): void {
    state.phase = "ready"
    Queue.offerUnsafe(this.ready, key)
  }

  add(key: string): void {
    const state = this.keys.get(key)
    if (state === undefined) {
      const fresh: KeyState = {
        phase: "ready",
        dirty: false,
        failures: undefined,
        throttled: false,
        early: false,
        timer: undefined
      }
      this.keys.set(key, fresh)
      this.makeReady(key, fresh)
    } else if (state.phase === "working") {
      state.dirty = true
    } else if (state.phase === "waiting" && !state.throttled) {
      state.timer?.interruptUnsafe()
      state.timer = undefined
      state.early = true
      this.makeReady(key, state)
    }
  }

  begin(key: string): KeyState | undefined {
    const state = this.keys.get(key)
    if (state === undefined || state.phase !== "ready") return undefined
    state.phase = "working"
    state.dirty = false
    state.throttled = false
    state.timer = undefined
    return state
  }

  wait(key: string, state: KeyState, millis: number, scope: Scope.Scope): Effect.Effect<void> {
    state.phase = "waiting"
    const wake = Effect.sync(() => {
      if (state.phase === "waiting" && this.keys.get(key) === state) this.makeReady(key, state)
    })
    return Effect.sleep(millis).pipe(
      Effect.andThen(wake),
      Effect.forkIn(scope),
      Effect.map((timer) => {
        if (state.phase === "waiting") state.timer = timer
      })
    )
  }
}

/** Decides and writes it down in one step: what is added in between would be forgotten with the key. */
const succeeded = (books: Books, key: string, state: KeyState, outcome: Outcome, scope: Scope.Scope) => {
  state.failures = undefined
  if (state.dirty || outcome === "again") books.makeReady(key, state)
  else if (outcome === "settled") books.keys.delete(key)
  else return books.wait(key, state, outcome.afterMillis, scope)
  return Effect.void
}

const failed = Effect.fnUntraced(function* (
  books: Books,
  key: string,
  state: KeyState,
  failure: StepFailure,
  scope: Scope.Scope
) {
  const { category, message, retryAfterMillis } = failure
  state.failures ??= new Map()
  const before = state.failures.get(category) ?? 0
  const failures = state.early && before > 0 ? before : before + 1
  state.failures.set(category, failures)
  state.throttled = category === "throttled"
  const backoff = delayMillis(category, failures, yield* Random.next, retryAfterMillis)
  // Something changed while the step ran: the change may well be the cure, so it need not wait for the cap.
  const millis = state.dirty && !state.throttled ? Math.min(backoff, 1_000) : backoff
  state.early = millis < backoff
  yield* books.wait(key, state, millis, scope)
  const log = category === "conflict" ? Effect.logDebug : Effect.logWarning
  yield* log("step failed").pipe(Effect.annotateLogs({ key, error: message, retryInMillis: millis }))
})

/** A bug in one key's step must not end the worker: it is reported and treated like any permanent failure. */
const reportDefect = (key: string) => (defect: unknown) =>
  Effect.logError("defect in step", Cause.die(defect)).pipe(
    Effect.annotateLogs({ key }),
    Effect.andThen(Effect.fail<StepFailure>({ category: "permanent", message: String(defect) }))
  )

export const make = Effect.fnUntraced(function* <R>(
  options: Options<R>
): Effect.fn.Return<WorkQueue, never, R | Scope.Scope> {
  const books = new Books(yield* Queue.unbounded<string>())
  const scope = yield* Effect.scope
  const work = Effect.flatMap(Queue.take(books.ready), (key) => {
    const state = books.begin(key)
    if (state === undefined) return Effect.void
    return options.step(key).pipe(
      Effect.catchDefect(reportDefect(key)),
      Effect.matchEffect({
        onSuccess: (outcome) => succeeded(books, key, state, outcome, scope),
        onFailure: (failure) => failed(books, key, state, failure, scope)
      })
    )
  })
  // Once for each worker and not for each step, which would cost more than most steps do.
  const worker = Effect.annotateLogs(Effect.forever(work), { queue: options.name })
  for (let count = 0; count < options.concurrency; count++) yield* Effect.forkIn(worker, scope)
  return {
    add: (key) => books.add(key),
    size: () => books.keys.size
  }
})
