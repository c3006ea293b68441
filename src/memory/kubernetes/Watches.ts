/** Open watches: what each delivers, and the knobs that end, break or silence them. */
import { Cause, Effect, Queue, Result, type Scope } from "effect"
import type { Reason, Selection } from "../../ports/Kubernetes.ts"
import { Expired, Unavailable } from "../../ports/Kubernetes.ts"
import type { ApiServer } from "./ApiServer.ts"
import type { ApiRequest } from "./Faults.ts"
import { collectionOf, type Kind } from "./Kind.ts"
import { Audience } from "./Audience.ts"
import type { ObjectEvent } from "./Reads.ts"
import { eventsOf, interestOf, missed } from "./Reads.ts"
import type { Change } from "./Store.ts"

export type RawEvent = ObjectEvent | { readonly type: "Bookmark"; readonly resourceVersion: string }

export interface WatchKnobs {
  readonly open: () => ReadonlyArray<ApiRequest>
  /** Closed in peace, as an API server does after some minutes. */
  readonly drop: (matches: (watch: ApiRequest) => boolean) => void
  /** The connection is reset. */
  readonly reset: (matches: (watch: ApiRequest) => boolean) => void
  /** The server sends 410 into the open watch. */
  readonly expire: (matches: (watch: ApiRequest) => boolean) => void
  /** Dead without a sign: nothing more arrives, not even the end. */
  readonly silence: (matches: (watch: ApiRequest) => boolean) => void
  /** The client's process or machine is no more: the server forgets the connection. */
  readonly abandon: (matches: (watch: ApiRequest) => boolean) => void
  readonly bookmark: (matches: (watch: ApiRequest) => boolean) => void
}

interface OpenWatch {
  readonly request: ApiRequest
  readonly queue: Queue.Queue<RawEvent, Reason | Cause.Done>
  isSilent: boolean
  readonly close: () => void
}

export interface Watches extends WatchKnobs {
  /** Open until the scope closes. The queue ends as the connection does. */
  readonly start: (
    request: ApiRequest,
    kind: Kind,
    selection: Selection,
    resourceVersion: string
  ) => Effect.Effect<Queue.Queue<RawEvent, Reason | Cause.Done>, Reason, Scope.Scope>
}

export const make = (server: ApiServer, bookmarkMillis: number): Watches => {
  const open = new Set<OpenWatch>()
  const audience = new Audience()
  server.store.subscribe((change) => audience.tell(change))

  const start: Watches["start"] = Effect.fnUntraced(function* (request, kind, selection, resourceVersion) {
    const queue = yield* Queue.unbounded<RawEvent, Reason | Cause.Done>()
    const opened = Result.all([eventsOf(server, kind, selection), missed(server, resourceVersion)])
    const [eventOf, changes] = yield* Effect.fromResult(opened)
    const offer = (event: RawEvent | undefined): void => {
      if (event !== undefined && !watch.isSilent) Queue.offerUnsafe(queue, event)
    }
    const listen = (change: Change) => offer(eventOf(change))
    const leave = audience.join(collectionOf(kind), interestOf(server, selection), listen)
    const watch: OpenWatch = {
      request,
      queue,
      isSilent: false,
      close: () => {
        open.delete(watch)
        leave()
      }
    }
    for (const change of changes) offer(eventOf(change))
    open.add(watch)
    yield* Effect.addFinalizer(() => Effect.sync(watch.close))
    yield* Effect.sleep(bookmarkMillis).pipe(
      Effect.andThen(Effect.sync(() => offer(bookmarkOf(server)))),
      Effect.forever,
      Effect.forkScoped
    )
    return queue
  })

  const each = (act: (watch: OpenWatch) => void) => (matches: (request: ApiRequest) => boolean) => {
    for (const watch of open) if (matches(watch.request)) act(watch)
  }

  return {
    start,
    open: () => [...open].map(({ request }) => request),
    drop: each((watch) => Queue.endUnsafe(watch.queue)),
    reset: each((watch) =>
      Queue.failCauseUnsafe(watch.queue, Cause.fail(new Unavailable({ message: "connection reset" })))
    ),
    expire: each((watch) => Queue.failCauseUnsafe(watch.queue, Cause.fail(new Expired()))),
    silence: each((watch) => {
      watch.isSilent = true
    }),
    abandon: each((watch) => watch.close()),
    bookmark: each((watch) => {
      if (!watch.isSilent) Queue.offerUnsafe(watch.queue, bookmarkOf(server))
    })
  }
}

const bookmarkOf = ({ store }: ApiServer): RawEvent => ({ type: "Bookmark", resourceVersion: String(store.version()) })
