/**
 * Events for people, on the object they look at. Written only when something changed, in the background: an event that
 * cannot be written is logged and lost, and never delays what it tells of.
 */
import { Clock, Context, Effect, Queue, Random } from "effect"
import type { Scope } from "effect"
import { events } from "../api/Event.ts"
import { inShort } from "../domain/Message.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import { forkForEver } from "../reconcile/ForEver.ts"
import * as Timestamp from "../reconcile/Timestamp.ts"

export interface Regarding {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string | undefined
  readonly name: string
  readonly uid: string
}

export interface Notice {
  readonly regarding: Regarding
  readonly type: "Normal" | "Warning"
  /** Stable and CamelCase: users alert on it. */
  readonly reason: string
  readonly message: string
}

const PENDING_MAX = 1_000

/** Of 253 characters at most, as the names of pools and nodes may have themselves, and each part between dots as a name must be. */
const nameOf = (name: string, suffix: string): string =>
  `${name.slice(0, 252 - suffix.length).replace(/[-.]+$/, "")}.${suffix}`

export class Events extends Context.Service<Events, { readonly tell: (notice: Notice) => Effect.Effect<void> }>()(
  "plenuslb/controller/Events"
) {
  /** `component` and `instance` say who reports. Cluster-scoped objects have their events in `default`, as kubectl expects. */
  static readonly make = (
    component: string,
    instance: string
  ): Effect.Effect<Events["Service"], never, Kubernetes | Scope.Scope> =>
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const pending = yield* Queue.dropping<Notice>(PENDING_MAX)
      const write = Effect.fnUntraced(function* ({ message, reason, regarding, type }: Notice) {
        const now = yield* Timestamp.now
        const unique = yield* Clock.currentTimeNanos
        const suffix = `${unique.toString(16)}${(yield* Random.nextIntBetween(0, 0xffff)).toString(16)}`
        const namespace = regarding.namespace ?? "default"
        yield* kubernetes.create(events, {
          apiVersion: "v1",
          kind: "Event",
          metadata: { name: nameOf(regarding.name, suffix), namespace },
          involvedObject: {
            apiVersion: regarding.apiVersion,
            kind: regarding.kind,
            name: regarding.name,
            uid: regarding.uid,
            ...(regarding.namespace === undefined ? {} : { namespace: regarding.namespace })
          },
          type,
          reason,
          message: inShort(message, 1_024),
          source: { component },
          reportingComponent: component,
          reportingInstance: instance,
          firstTimestamp: now,
          lastTimestamp: now,
          count: 1
        })
      })
      const turn = Queue.take(pending).pipe(
        Effect.flatMap(write),
        Effect.catch((error) =>
          Effect.logDebug("event not written").pipe(Effect.annotateLogs({ error: error.message }))
        )
      )
      yield* forkForEver("events", turn)
      return Events.of({ tell: (notice) => Effect.asVoid(Queue.offer(pending, notice)) })
    })
}
