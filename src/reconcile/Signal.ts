/** A wake-up that collapses: however often it is given before it is awaited, one round follows. */
import { Effect, Queue, Stream } from "effect"

export interface Signal {
  readonly give: () => void
  readonly wait: Effect.Effect<void>
}

export const make: Effect.Effect<Signal> = Effect.map(Queue.sliding<void>(1), (queue) => ({
  give: () => void Queue.offerUnsafe(queue, undefined),
  wait: Queue.take(queue)
}))

/** Runs a synchronous handler for every element, for ever or until the stream ends. */
export const runForEach = <A, E, R>(stream: Stream.Stream<A, E, R>, handle: () => void): Effect.Effect<void, E, R> =>
  Stream.runForEach(stream, () => Effect.sync(handle))
