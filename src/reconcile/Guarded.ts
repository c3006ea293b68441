/** Handlers of which none throws: a bug that one object's content meets must not end the watch of all others. */
import { Cause, Effect } from "effect"
import type { Handlers } from "./Reflector.ts"

export interface Guarded<A> {
  readonly handlers: Required<Handlers<A>>
  /** Logs what was thrown since the last time. */
  readonly report: Effect.Effect<void>
}

export const guarded = <A>(handlers: Handlers<A>, resource: string): Guarded<A> => {
  let defects: Array<unknown> = []
  const guard = (run: () => void): void => {
    try {
      run()
    } catch (defect) {
      defects.push(defect)
    }
  }
  const reportAll = Effect.suspend(() => {
    const thrown = defects
    defects = []
    return Effect.forEach(thrown, (defect) => Effect.logError("defect in handler", Cause.die(defect)), {
      discard: true
    })
  })
  return {
    handlers: {
      onHeard: () => guard(() => handlers.onHeard?.()),
      onChange: (change) => guard(() => handlers.onChange?.(change)),
      onUndecodable: (key, undecodable) => guard(() => handlers.onUndecodable?.(key, undecodable)),
      onUndecodableGone: (key) => guard(() => handlers.onUndecodableGone?.(key)),
      onUndecodableOver: (key) => guard(() => handlers.onUndecodableOver?.(key)),
      onSynced: (listing) => guard(() => handlers.onSynced?.(listing))
    },
    report: Effect.suspend(() => (defects.length === 0 ? Effect.void : Effect.annotateLogs(reportAll, { resource })))
  }
}
