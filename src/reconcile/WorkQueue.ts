/**
 * A keyed queue. One key is never worked on twice at once; a key added while it is in work is worked on once more
 * afterwards, so no change is lost; different keys proceed in parallel up to `concurrency`. A key that fails waits by
 * the category of its error (RetryPolicy) and delays nobody: it holds no worker while it waits. An addition cuts that
 * wait short, except after `throttled`, where the pause is the server's.
 */
import { Cause, Effect, Fiber, Queue, Random } from "effect"
import type { Scope } from "effect"
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
  /** Failures in a row of a key; 0 when its last step succeeded. */
  readonly failures: (key: string) => number
}

interface KeyState {
  phase: "ready" | "working" | "waiting"
  /** Added again while in work. */
  dirty: boolean
  failures: number
  throttled: boolean
  timer: Fiber.Fiber<void> | undefined
}

export interface Options<R> {
  readonly name: string
  readonly concurrency: number
  readonly step: (key: string) => Effect.Effect<Outcome, StepFailure, R>
}

export const make = Effect.fnUntraced(function* <R>(
  options: Options<R>
): Effect.fn.Return<WorkQueue, never, R | Scope.Scope> {
  const ready = yield* Queue.unbounded<string>()
  const keys = new Map<string, KeyState>()
  const scope = yield* Effect.scope

  const makeReady = (key: string, state: KeyState) => {
    state.phase = "ready"
    Queue.offerUnsafe(ready, key)
  }

  const add = (key: string) => {
    const state = keys.get(key)
    if (state === undefined) {
      const fresh: KeyState = { phase: "ready", dirty: false, failures: 0, throttled: false, timer: undefined }
      keys.set(key, fresh)
      makeReady(key, fresh)
    } else if (state.phase === "working") {
      state.dirty = true
    } else if (state.phase === "waiting" && !state.throttled) {
      state.timer?.interruptUnsafe()
      state.timer = undefined
      makeReady(key, state)
    }
  }

  const wait = Effect.fnUntraced(function* (key: string, state: KeyState, millis: number) {
    state.phase = "waiting"
    state.timer = yield* Effect.sleep(millis).pipe(
      Effect.andThen(
        Effect.sync(() => {
          if (state.phase === "waiting" && keys.get(key) === state) makeReady(key, state)
        })
      ),
      Effect.forkIn(scope)
    )
  })

  const succeeded = (key: string, state: KeyState, outcome: Outcome) => {
    state.failures = 0
    if (state.dirty || outcome === "again") return Effect.sync(() => makeReady(key, state))
    if (outcome === "settled") return Effect.sync(() => keys.delete(key))
    return wait(key, state, outcome.afterMillis)
  }

  const failed = Effect.fnUntraced(function* (key: string, state: KeyState, failure: StepFailure) {
    state.failures += 1
    state.throttled = failure.category === "throttled"
    const millis = delayMillis(failure.category, state.failures, yield* Random.next, failure.retryAfterMillis)
    const log = failure.category === "conflict" ? Effect.logDebug : Effect.logWarning
    yield* log("step failed").pipe(
      Effect.annotateLogs({ queue: options.name, key, error: failure.message, retryInMillis: millis })
    )
    yield* wait(key, state, state.dirty && !state.throttled ? Math.min(millis, 1_000) : millis)
  })

  const work = Effect.gen(function* () {
    const key = yield* Queue.take(ready)
    const state = keys.get(key)
    if (state === undefined || state.phase !== "ready") return
    state.phase = "working"
    state.dirty = false
    state.throttled = false
    state.timer = undefined
    yield* options.step(key).pipe(
      // A bug in one key's step must not end the worker: it is reported and treated like any permanent failure.
      Effect.catchDefect((defect) =>
        Effect.andThen(
          Effect.logError("defect in step", Cause.die(defect)).pipe(Effect.annotateLogs({ queue: options.name, key })),
          Effect.fail<StepFailure>({ category: "permanent", message: String(defect) })
        )
      ),
      Effect.matchEffect({
        onSuccess: (outcome) => succeeded(key, state, outcome),
        onFailure: (failure) => failed(key, state, failure)
      })
    )
  })

  for (let worker = 0; worker < options.concurrency; worker++) {
    yield* Effect.forkIn(Effect.forever(work), scope)
  }
  return { add, size: () => keys.size, failures: (key) => keys.get(key)?.failures ?? 0 }
})
