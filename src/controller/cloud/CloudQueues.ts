/** One queue for what is asked of the clouds for each Service, one for the project of each pool. */
import { Effect } from "effect"
import { entriesOf } from "../../api/AllocationEntries.ts"
import { monotonicMillis } from "../../reconcile/Monotonic.ts"
import * as WorkQueue from "../../reconcile/WorkQueue.ts"
import { Caches } from "../Caches.ts"
import type { Reconciling } from "../Observation.ts"
import type { Sinks } from "../Wiring.ts"
import * as CloudStep from "./CloudStep.ts"
import { OrphanSweep } from "./OrphanSweep.ts"
import * as ProjectFollower from "./ProjectFollower.ts"

export const start = Effect.fnUntraced(function* (
  reconciling: Reconciling,
  sinks: Sinks,
  add: { readonly service: (key: string) => void; readonly report: (key: string) => void }
) {
  const { books, isLeader, nodeBook, settings } = reconciling
  const caches = yield* Caches
  const wakeForPool = (poolKey: string) => {
    sinks.pool(poolKey)
    const concerned = books.clouds.poolsSharing(poolKey).flatMap((name) => [...books.keysByPool.get(name)])
    const waiting = (["pools", "nodes", "clouds"] as const).flatMap((topic) => [...books.waiting.all(topic)])
    for (const key of [...concerned, ...waiting]) {
      books.clouds.setRetried(key, undefined)
      add.service(key)
    }
  }
  books.clouds.onRight = (poolKeys, mayWrite) => {
    // Who was refused need not wait for the next try.
    for (const poolKey of poolKeys) (mayWrite ? wakeForPool : sinks.pool)(poolKey)
  }
  return {
    services: yield* WorkQueue.make({
      name: "clouds",
      concurrency: Math.max(4, settings.concurrency / 2),
      step: CloudStep.step({
        ...reconciling,
        oneByOne: CloudStep.oneByOne(),
        onDone: (key, change) => {
          add.service(key)
          // An address is free, or a server has room again.
          const brings = change._tag === "Return" || change._tag === "Route"
          if (brings) for (const other of books.waiting.all("clouds")) add.service(other)
        },
        onTold: add.report
      })
    }),
    projects: yield* WorkQueue.make({
      name: "cloud projects",
      concurrency: 4,
      step: ProjectFollower.step({
        book: books.clouds,
        sweep: new OrphanSweep(books.clouds),
        isLeader,
        namespace: settings.namespace,
        entriesOf: ({ kind, name }) =>
          [...books.keysByPool.get(name)].flatMap((key) => {
            const allocation = caches.allocations.get(key)
            return allocation === undefined
              ? []
              : entriesOf(allocation).filter(
                  (entry) => entry.pool === name && entry.node !== undefined && books.poolOfEntry(entry)?.kind === kind
                )
          }),
        millisUntilLost: (graceMillis) =>
          Effect.map(monotonicMillis, (now) => nodeBook.millisUntilLost(graceMillis, now)),
        onChange: wakeForPool
      })
    })
  }
})
