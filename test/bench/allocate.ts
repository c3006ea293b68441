/**
 * How fast N Services get their addresses. Three runs, each on an API server in memory of its own: the reference creates N
 * IPAllocations and does nothing else; "granted" is the controller with a pool without interface (two writes a Service);
 * "served" is the controller with three operators on a pool with one (three writes). All runs pay for the same API server
 * within the same process: what the programs cost is the difference.
 */
import { Deferred, Effect } from "effect"
import type { Scope } from "effect"
import { customResourceDefinitions } from "../../src/api/Crd.ts"
import { ipAllocations } from "../../src/api/IPAllocation.ts"
import { apiVersion } from "../../src/api/Names.ts"
import { persistentIPPools } from "../../src/api/PersistentIPPool.ts"
import { services } from "../../src/api/Service.ts"
import type { Json, Measurement } from "../../src/cli/Measure.ts"
import * as Cluster from "../../src/cli/playground/Cluster.ts"
import { listAt, textAt } from "../../src/memory/kubernetes/Json.ts"
import * as MemoryKubernetes from "../../src/memory/kubernetes/MemoryKubernetes.ts"
import type { KubernetesError } from "../../src/ports/Kubernetes.ts"
import { monotonicMillis } from "../../src/reconcile/Monotonic.ts"
import * as Heap from "./Heap.ts"

/** What the pool below has room for. */
export const SERVICES_MAX = 16_000
const CLIENT_CONCURRENCY = 64
const WARM_UP_COUNT = 200

const names = (count: number) => Array.from({ length: count }, (_, index) => `service-${index}`)

interface Run {
  readonly elapsedMillis: number
  readonly heapMiB: number
  readonly rssMiB: number
  readonly writesCount: number
}

/** Memory is read while everything of the run is still alive. */
const measured = Effect.fnUntraced(function* (startedAt: number, writesCount: number) {
  const elapsedMillis = Math.max(1, (yield* monotonicMillis) - startedAt)
  return { elapsedMillis, writesCount, ...Heap.measure() } satisfies Run
})

const writesOf = (api: MemoryKubernetes.MemoryKubernetes): number => {
  let writes = 0
  for (const [request, count] of api.requests()) {
    const [user, method = "", plural = ""] = request.split(" ")
    const concerns = plural.startsWith("services") || plural.startsWith("ipallocations")
    if (user !== "kubectl" && concerns && !["get", "list", "watch"].includes(method)) writes += count
  }
  return writes
}

const reference = Effect.fnUntraced(function* (count: number) {
  const api = yield* MemoryKubernetes.make({ customResourceDefinitions })
  const client = api.view("reference")
  const startedAt = yield* monotonicMillis
  yield* Effect.forEach(
    names(count),
    (name) =>
      client.create(ipAllocations, {
        apiVersion,
        kind: "IPAllocation",
        metadata: { name, namespace: "default" },
        spec: { type: "persistent", allocations: [{ address: "10.0.0.1", pool: "bench", networkInterface: "pl0" }] }
      }),
    { concurrency: CLIENT_CONCURRENCY, discard: true }
  )
  return yield* measured(startedAt, writesOf(api))
})

const poolOf = (onInterface: boolean) => ({
  apiVersion,
  kind: "PersistentIPPool",
  metadata: { name: "bench" },
  spec: {
    addresses: ["10.0.0.0/18"],
    autoAssign: true,
    ...(onInterface
      ? { options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0" } } }
      : {})
  }
})

/** Done when so many Services show an address. */
const allShown = Effect.fnUntraced(function* (
  api: MemoryKubernetes.MemoryKubernetes,
  count: number
): Effect.fn.Return<Effect.Effect<void>, never, Scope.Scope> {
  const done = yield* Deferred.make<void>()
  const shown = new Set<string>()
  const unsubscribe = api.truth.subscribe(({ after, collection }) => {
    if (collection !== "/services" || after === undefined) return
    if (listAt(after, "status", "loadBalancer", "ingress").length === 0) return
    shown.add(textAt(after, "metadata", "name") ?? "")
    if (shown.size === count) Deferred.doneUnsafe(done, Effect.void)
  })
  yield* Effect.addFinalizer(() => Effect.sync(unsubscribe))
  return Deferred.await(done)
})

const waitFor = (condition: Effect.Effect<boolean>) =>
  Effect.repeat(Effect.delay(condition, 20), { until: (holds) => holds })

const allocations = Effect.fnUntraced(function* (
  count: number,
  onInterface: boolean
): Effect.fn.Return<Run, KubernetesError, Scope.Scope> {
  const cluster = yield* Cluster.make({ profile: "default", nodesCount: 3, replicasCount: 1 })
  const { api, kubectl } = cluster
  yield* waitFor(cluster.replicas[0]?.controller.isLeader ?? Effect.succeed(false))
  yield* kubectl.create(persistentIPPools, poolOf(onInterface))
  if (onInterface) yield* waitFor(Effect.map(cluster.operatorsReady, (ready) => ready === cluster.nodeNames.length))
  const shown = yield* allShown(api, count)
  const startedAt = yield* monotonicMillis
  yield* Effect.forEach(
    names(count),
    (name) =>
      kubectl.create(services, {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name, namespace: "default" },
        spec: { type: "LoadBalancer", ports: [{ port: 80 }] }
      }),
    { concurrency: CLIENT_CONCURRENCY, discard: true }
  )
  yield* shown
  return yield* measured(startedAt, writesOf(api))
})

interface Row extends Run {
  readonly name: "reference" | "granted" | "served"
  readonly servicesCount: number
  readonly allocationsPerSecond: number
  /** Of the reference's rate. */
  readonly referencePercent: number
}

const rate = (count: number, { elapsedMillis }: Run): number => Math.round((count * 1000) / elapsedMillis)

const rowsFor = Effect.fnUntraced(function* <E, R>(
  count: number,
  progress: (text: string) => Effect.Effect<void, E, R>
) {
  yield* progress(`${count} Services: the reference, plain creates`)
  const plain = yield* reference(count)
  yield* progress(`${count} Services: granted by the controller`)
  const granted = yield* Effect.scoped(allocations(count, false))
  yield* progress(`${count} Services: served by three operators`)
  const served = yield* Effect.scoped(allocations(count, true))
  const rowOf = (name: Row["name"], run: Run): Row => ({
    name,
    servicesCount: count,
    ...run,
    allocationsPerSecond: rate(count, run),
    referencePercent: Math.round((100 * rate(count, run)) / rate(count, plain))
  })
  return [rowOf("reference", plain), rowOf("granted", granted), rowOf("served", served)]
})

const cellsOf = (row: Row): ReadonlyArray<string> => [
  row.name,
  String(row.servicesCount),
  `${row.elapsedMillis} ms`,
  `${row.allocationsPerSecond} /s`,
  `${row.referencePercent} %`,
  (row.writesCount / row.servicesCount).toFixed(2),
  `${row.heapMiB.toFixed(1)} MiB`,
  `${row.rssMiB.toFixed(1)} MiB`
]

const jsonOf = ({ writesCount, ...row }: Row): Json => ({
  ...row,
  writesPerServiceCount: writesCount / row.servicesCount
})

/** No bounds: the figures depend on the machine, and are to be read beside their reference. */
export const run = Effect.fn("Allocate.run")(function* <E, R>(
  counts: ReadonlyArray<number>,
  progress: (text: string) => Effect.Effect<void, E, R>
) {
  // Code that is not compiled yet would make the first run, which is the reference, look slow.
  yield* rowsFor(WARM_UP_COUNT, () => Effect.void)
  const before = Heap.measure()
  const rows: Array<Row> = []
  for (const count of counts) rows.push(...(yield* rowsFor(count, progress)))
  const measurement: Measurement = {
    table: {
      columns: ["RUN", "SERVICES", "TIME", "ALLOCATIONS", "OF REFERENCE", "WRITES EACH", "HEAP", "RSS"],
      rows: rows.map(cellsOf)
    },
    bounds: [],
    json: { bench: "allocate", heapBeforeMiB: before.heapMiB, rssBeforeMiB: before.rssMiB, runs: rows.map(jsonOf) }
  }
  return measurement
})
