/**
 * Writes that are on their way when their sender gives up, is stopped or dies: what was sent is sent, and the API server
 * acts when it arrives. Most writes arrive while their sender waits, and need none of this.
 */
import { Effect, Exit } from "effect"
import type { Kubernetes, KubernetesError } from "../../ports/Kubernetes.ts"
import type { Process } from "../kernel/Process.ts"

export interface Arrival {
  readonly isCommitted: boolean
  readonly isSenderRunning: boolean
}

export interface Way {
  readonly sender: Process
  /** Carries what is on its way. */
  readonly network: Process
  /** How long a write takes; undefined: it is not late. */
  readonly lateMillis: () => number | undefined
  readonly onRefused: (error: KubernetesError) => void
  readonly onArrival: (arrival: Arrival) => void
}

export const withLateWrites = (view: Kubernetes["Service"], way: Way): Kubernetes["Service"] => {
  const send = <A>(write: Effect.Effect<A, KubernetesError>): Effect.Effect<A, KubernetesError> =>
    Effect.suspend(() => {
      const millis = way.lateMillis()
      const sent = millis === undefined ? write : carried(Effect.andThen(Effect.sleep(millis), write), way)
      return Effect.tapError(sent, (error) => Effect.sync(() => way.onRefused(error)))
    })
  return {
    ...view,
    create: (type, object) => send(view.create(type, object)),
    replace: (type, object) => send(view.replace(type, object)),
    patch: (type, ref, mergePatch, options) => send(view.patch(type, ref, mergePatch, options)),
    apply: (type, object, options) => send(view.apply(type, object, options)),
    delete: (type, ref, options) => send(view.delete(type, ref, options))
  }
}

/** Not interrupted with the one who waits for it. */
const carried = <A, E>(write: Effect.Effect<A, E>, { network, onArrival, sender }: Way): Effect.Effect<A, E> =>
  Effect.callback<A, E>((resume) => {
    const answer = (exit: Exit.Exit<A, E>) => {
      onArrival({ isCommitted: Exit.isSuccess(exit), isSenderRunning: sender.isRunning })
      // Through a timer of the sender's own, which a stopped process does not hear.
      if (sender.isAlive) resume(Effect.andThen(Effect.sleep(1), exit))
    }
    Effect.runForkWith(network.context)(write).addObserver(answer)
  })
