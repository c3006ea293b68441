/**
 * Writes that are on their way when their sender gives up, is stopped or dies: what was sent is sent, and the API server
 * acts when it arrives. Most writes arrive while their sender waits, and need none of this. One of a dead sender is told
 * apart from those of the process that came after it, which is another leader or holder.
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

type View = Kubernetes["Service"]

/** `gone` is the API as the sender has it once it is dead. */
export const withLateWrites = (view: View, gone: View, way: Way): View => {
  const send = <A>(write: (view: View) => Effect.Effect<A, KubernetesError>): Effect.Effect<A, KubernetesError> =>
    Effect.suspend(() => {
      const millis = way.lateMillis()
      const arrive = Effect.suspend(() => write(way.sender.isAlive ? view : gone))
      const sent = millis === undefined ? write(view) : carried(Effect.andThen(Effect.sleep(millis), arrive), way)
      return Effect.tapError(sent, (error) => Effect.sync(() => way.onRefused(error)))
    })
  return {
    ...view,
    create: (type, object) => send((as) => as.create(type, object)),
    replace: (type, object) => send((as) => as.replace(type, object)),
    patch: (type, ref, mergePatch, options) => send((as) => as.patch(type, ref, mergePatch, options)),
    apply: (type, object, options) => send((as) => as.apply(type, object, options)),
    delete: (type, ref, options) => send((as) => as.delete(type, ref, options))
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
