/**
 * A cluster as large as the design has in mind, in the simulator and without faults: 1,000 nodes and 10,000 Services from
 * empty to served, then one node without power. What grows faster than the cluster shows here first.
 */
import { Cause, Effect, Exit } from "effect"
import { persistentIPPools } from "../../src/api/PersistentIPPool.ts"
import { services } from "../../src/api/Service.ts"
import type { Measurement } from "../../src/cli/Measure.ts"
import { listAt } from "../../src/memory/kubernetes/Json.ts"
import { withGuard } from "../../src/simulation/kernel/Guard.ts"
import { Kernel } from "../../src/simulation/kernel/Kernel.ts"
import { Story } from "../../src/simulation/world/Story.ts"
import * as World from "../../src/simulation/world/World.ts"
import * as Heap from "./Heap.ts"

/** architecture of the design: three writes from create to served, a fourth for state and message. */
const SERVED_WRITES_MAX = 3
const SETTLED_WRITES_MAX = 4
/** L1: within 7 s of a node's death its addresses are back. */
const FAILOVER_MAX_MILLIS = 7_000
/** Longest that either part may take, in simulated time. */
const patienceMillis = 600_000
const pollMillis = 100
/** Until states are written and whoever holds nothing renews seldom. */
const restMillis = 90_000
/** How long writes are counted in which nothing happens. */
const quietMillis = 30_000

const pool = {
  apiVersion: "loadbalancing.plenus.io/v1alpha1",
  kind: "PersistentIPPool",
  metadata: { name: "bench" },
  spec: {
    addresses: ["198.18.0.0/16"],
    autoAssign: true,
    options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0", mode: "auto" as const } }
  }
}

const serviceOf = (index: number) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: `web-${index}`, namespace: "default" },
  spec: { type: "LoadBalancer", ports: [{ port: 80 }], allocateLoadBalancerNodePorts: false }
})

/**
 * Of our programs, to Services and IPAllocations. State and message of an IPAllocation are written by the controller once
 * it is served, at low priority.
 */
const writesOf = ({ memory }: World.World, withStates: boolean): number => {
  let writes = 0
  for (const [request, count] of memory.requests()) {
    const [user = "", method = "", resource = ""] = request.split(" ")
    const isOurs = user !== "kubectl" && /^(services|ipallocations)/.test(resource)
    const isState = user.startsWith("controller") && resource === "ipallocations/status"
    if (isOurs && !["get", "list", "watch"].includes(method) && (withStates || !isState)) writes += count
  }
  return writes
}

/** Of our programs, whatever they write. */
const allWritesOf = ({ memory }: World.World): number => {
  let writes = 0
  for (const [request, count] of memory.requests()) {
    const [user = "", method = ""] = request.split(" ")
    if (user !== "kubectl" && !["get", "list", "watch"].includes(method)) writes += count
  }
  return writes
}

const until = Effect.fnUntraced(function* (world: World.World, what: string, holds: () => boolean) {
  const startMillis = world.kernel.nowMillis
  while (!holds()) {
    if (world.kernel.nowMillis - startMillis > patienceMillis) return yield* Effect.die(new Error(`never: ${what}`))
    yield* Effect.sleep(pollMillis)
  }
  return world.kernel.nowMillis - startMillis
})

export interface Size {
  readonly nodesCount: number
  readonly servicesCount: number
}

interface Found {
  readonly servedMillis: number
  readonly servedWritesPerService: number
  readonly settledWritesPerService: number
  readonly servedCpuSeconds: number
  /** When nothing happens. */
  readonly quietWritesPerSecond: number
  readonly heapMiB: number
  readonly rssMiB: number
  readonly movedCount: number
  readonly failoverMillis: number
  readonly failoverWritesPerAddress: number
  readonly failoverCpuSeconds: number
  readonly stepsCount: number
}

const cpuSeconds = (since?: NodeJS.CpuUsage): number => {
  const { system, user } = process.cpuUsage(since)
  return Math.round((user + system) / 1e4) / 100
}

/** Addresses shown by a Service, kept by the API server's own commits. */
const followShown = (world: World.World): (() => number) => {
  const shown = new Set<string>()
  world.memory.truth.subscribe(({ after, collection, object }) => {
    if (collection !== "/services") return
    const name = String((object["metadata"] as { readonly name?: string }).name)
    if (listAt(after, "status", "loadBalancer", "ingress").length > 0) shown.add(name)
    else shown.delete(name)
  })
  return () => shown.size
}

const scenario = Effect.fnUntraced(function* (
  kernel: Kernel,
  { nodesCount, servicesCount }: Size,
  progress: (text: string) => void
) {
  const world = yield* World.make(
    kernel,
    new Story(kernel, { isTold: false }),
    { nodesCount, controllersCount: 2, hearsLogs: false },
    () => {}
  )
  const shown = followShown(world)
  yield* world.kubectl.create(persistentIPPools, pool)
  yield* Effect.sleep(10_000)
  progress(`${nodesCount} nodes have started; ${servicesCount} Services are created`)
  const before = process.cpuUsage()
  for (let index = 0; index < servicesCount; index++) yield* world.kubectl.create(services, serviceOf(index))
  const servedMillis = yield* until(world, "all Services show an address", () => shown() === servicesCount)
  const servedWrites = writesOf(world, false)
  const servedCpuSeconds = cpuSeconds(before)
  progress("all are served; quiet minutes for the states, and to count what is written in them")
  yield* Effect.sleep(restMillis)
  const settledWrites = writesOf(world, true)
  const writesBefore = allWritesOf(world)
  yield* Effect.sleep(quietMillis)
  const quietWritesPerSecond = ((allWritesOf(world) - writesBefore) * 1_000) / quietMillis
  const memory = Heap.measure()
  const [victim] = world.hosts.toSorted((a, b) => b.held().size - a.held().size)
  if (victim === undefined) return yield* Effect.die(new Error("there is no node"))
  // Not what another program has put there.
  const lost = [...victim.held().keys()].filter((address) => address.startsWith("198.18."))
  progress(`${victim.name} loses its power, and with it ${lost.length} addresses`)
  const beforeLoss = process.cpuUsage()
  world.powerOff(victim)
  const failoverMillis = yield* until(world, "every address answers again", () =>
    lost.every((address) => world.truth.answeredBy(address) !== undefined)
  )
  const failoverCpuSeconds = cpuSeconds(beforeLoss)
  yield* Effect.sleep(30_000)
  return {
    servedMillis,
    servedWritesPerService: servedWrites / servicesCount,
    settledWritesPerService: settledWrites / servicesCount,
    servedCpuSeconds,
    quietWritesPerSecond,
    ...memory,
    movedCount: lost.length,
    failoverMillis,
    failoverWritesPerAddress: (writesOf(world, true) - settledWrites) / lost.length,
    failoverCpuSeconds,
    stepsCount: kernel.stepsCount
  } satisfies Found
})

const row = (name: string, value: number, unit: string) => [name, `${Math.round(value * 100) / 100}`, unit]

export const measure = (size: Size, progress: (text: string) => void): Measurement => {
  const kernel = new Kernel({ seed: 1, preemption: 0, stepsMax: 200_000_000 })
  const before = process.cpuUsage()
  const exit = withGuard(() => kernel.run(scenario(kernel, size, progress)))
  if (Exit.isFailure(exit)) throw Cause.squash(exit.cause)
  const found = exit.value
  const allCpuSeconds = cpuSeconds(before)
  return {
    table: {
      columns: ["1 run", "measured", ""],
      rows: [
        row("nodes", size.nodesCount, ""),
        row("Services", size.servicesCount, ""),
        row("from created to all served", found.servedMillis, "ms, simulated"),
        row("  CPU for that", found.servedCpuSeconds, "s"),
        row("writes per Service until served", found.servedWritesPerService, `bound ${SERVED_WRITES_MAX}`),
        row("writes per Service, state included", found.settledWritesPerService, `bound ${SETTLED_WRITES_MAX}`),
        row("writes per second when nothing happens, leases included", found.quietWritesPerSecond, ""),
        row("heap of all programs and the API", found.heapMiB, "MiB"),
        row("VmRSS of the process", found.rssMiB, "MiB"),
        row("addresses on the node that is lost", found.movedCount, ""),
        row("from power loss to all answering", found.failoverMillis, `ms, simulated; bound ${FAILOVER_MAX_MILLIS}`),
        row("  CPU for that", found.failoverCpuSeconds, "s"),
        row("writes per moved address", found.failoverWritesPerAddress, ""),
        row("CPU for everything", allCpuSeconds, "s")
      ]
    },
    bounds: [
      {
        says: `at most ${SERVED_WRITES_MAX} writes per Service until served; measured ${found.servedWritesPerService}`,
        held: found.servedWritesPerService <= SERVED_WRITES_MAX
      },
      {
        says: `at most ${SETTLED_WRITES_MAX} writes per Service with its state; measured ${found.settledWritesPerService}`,
        held: found.settledWritesPerService <= SETTLED_WRITES_MAX
      },
      {
        says: `all addresses answer within ${FAILOVER_MAX_MILLIS} ms of the power loss; measured ${found.failoverMillis}`,
        held: found.failoverMillis <= FAILOVER_MAX_MILLIS
      }
    ],
    json: {
      nodesCount: size.nodesCount,
      servicesCount: size.servicesCount,
      cpuSeconds: allCpuSeconds,
      ...Object.fromEntries(
        Object.entries(found).map(([key, value]) => [key.replace(/Per(Service|Address)$/, "Per$1Ratio"), value])
      )
    }
  }
}
