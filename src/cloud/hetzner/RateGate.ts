/** Lets requests through as the budget allows: those that may wait least first, and a reserve that is failover's alone. */
import { Clock, Deferred, Effect, Latch, Random, type Scope } from "effect"
import type { Priority } from "../../ports/Cloud.ts"
import type { HttpReply } from "../../ports/HttpExchange.ts"
import { forkForEver } from "../../reconcile/ForEver.ts"
import { monotonicMillis } from "../../reconcile/Monotonic.ts"
import { RateBucket } from "./RateBucket.ts"
import * as RetryAfter from "./RetryAfter.ts"

export interface RateGate {
  /** Waits for its turn; the reply corrects the estimate. */
  readonly through: <E>(priority: Priority, request: Effect.Effect<HttpReply, E>) => Effect.Effect<HttpReply, E>
}

interface Ticket {
  readonly priority: Priority
  readonly turn: Deferred.Deferred<void>
}

const rank: { readonly [P in Priority]: number } = { failover: 0, normal: 1, background: 2 }

const numberOf = (reply: HttpReply, header: string): number | undefined => {
  const value = Number(reply.headers[header] ?? "")
  return reply.headers[header] === undefined || !Number.isFinite(value) ? undefined : value
}

export const make: Effect.Effect<RateGate, never, Scope.Scope> = Effect.gen(function* () {
  const bucket = new RateBucket(yield* monotonicMillis)
  const waiting: Array<Ticket> = []
  const arrival = yield* Latch.make(false)
  let inFlight = 0

  /** The first among those who may wait least. */
  const next = (): Ticket | undefined =>
    waiting.reduce<Ticket | undefined>(
      (best, each) => (best === undefined || rank[each.priority] < rank[best.priority] ? each : best),
      undefined
    )

  const forget = (ticket: Ticket): void => {
    const index = waiting.indexOf(ticket)
    if (index >= 0) waiting.splice(index, 1)
  }

  const turn = Effect.gen(function* () {
    arrival.closeUnsafe()
    const ticket = next()
    if (ticket === undefined) return yield* arrival.await
    const waitMillis = bucket.waitMillis(ticket.priority, yield* monotonicMillis)
    if (waitMillis > 0) return yield* Effect.raceFirst(Effect.sleep(waitMillis), arrival.await)
    bucket.take()
    forget(ticket)
    yield* Deferred.succeed(ticket.turn, undefined)
  })
  yield* forkForEver("turns at the cloud", turn)

  const acquire = Effect.fnUntraced(function* (priority: Priority) {
    if (next() === undefined && bucket.waitMillis(priority, yield* monotonicMillis) === 0) return bucket.take()
    const ticket: Ticket = { priority, turn: yield* Deferred.make<void>() }
    waiting.push(ticket)
    arrival.openUnsafe()
    yield* Effect.onInterrupt(Deferred.await(ticket.turn), () => Effect.sync(() => forget(ticket)))
  })

  const hear = Effect.fnUntraced(function* (reply: HttpReply) {
    const nowMillis = yield* monotonicMillis
    const [limit, remaining] = [numberOf(reply, "ratelimit-limit"), numberOf(reply, "ratelimit-remaining")]
    if (reply.status === 429) {
      if (remaining === undefined) bucket.refuseUnsaid(yield* Random.next, nowMillis)
      else bucket.refuse(remaining, nowMillis)
      bucket.pause(RetryAfter.millisOf(reply, yield* Clock.currentTimeMillis), nowMillis)
    } else {
      // What failed on the way was perhaps not counted.
      if (reply.status < 500) bucket.accept()
      if (limit !== undefined && remaining !== undefined) bucket.correct(limit, remaining, inFlight, nowMillis)
    }
    arrival.openUnsafe()
  })

  return {
    through: (priority, request) =>
      Effect.andThen(
        acquire(priority),
        Effect.suspend(() => {
          inFlight++
          return request.pipe(Effect.ensuring(Effect.sync(() => inFlight--)), Effect.tap(hear))
        })
      )
  }
})
