/**
 * Writes that are on their way when their sender gives up, is stopped or dies: what was sent is sent, and the API server
 * acts when it arrives. Most writes arrive while their sender waits, and need none of this.
 */
import { Effect, type Exit } from "effect"
import type { Kubernetes } from "../../ports/Kubernetes.ts"
import type { Process } from "../kernel/Process.ts"

/** `network` carries what is on its way; `lateMillis` says of each write how long that takes, or that it is not late. */
export const withLateWrites = (
  view: Kubernetes["Service"],
  sender: Process,
  network: Process,
  lateMillis: () => number | undefined
): Kubernetes["Service"] => {
  const send = <A, E>(write: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      const millis = lateMillis()
      return millis === undefined ? write : carried(Effect.andThen(Effect.sleep(millis), write), sender, network)
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
const carried = <A, E>(write: Effect.Effect<A, E>, sender: Process, network: Process): Effect.Effect<A, E> =>
  Effect.callback<A, E>((resume) => {
    const answer = (exit: Exit.Exit<A, E>) => {
      // Through a timer of the sender's own, which a stopped process does not hear.
      if (sender.isAlive) resume(Effect.andThen(Effect.sleep(1), exit))
    }
    Effect.runForkWith(network.context)(write).addObserver(answer)
  })
