/**
 * What a provider is asked for: requests of each operation of the controller, and how long twenty addresses of a dead node
 * take to be routed elsewhere when the project's budget is used up. On the provider in memory, in virtual time: latency
 * is drawn (10 to 60 ms), an action takes a second, the budget is the vendor's.
 *
 * What v0.4 asked for beside it is computed from its source and not measured (pkg/clouds/hetzner/hetzner.go): to assign, to
 * unassign and to delete it listed all floating IPs of the project, since it knew them by their address; a server it asked for
 * by name; and it waited for no action and read nothing back. So it asked for less than we do in a small project, and for more
 * with each page of others' floating IPs.
 */
import { Effect, Exit } from "effect"
import { ephemeralIPPools } from "../../src/api/EphemeralIPPool.ts"
import { namespaces } from "../../src/api/Namespace.ts"
import { services } from "../../src/api/Service.ts"
import type { Measurement } from "../../src/cli/Measure.ts"
import { withGuard } from "../../src/simulation/kernel/Guard.ts"
import { Kernel } from "../../src/simulation/kernel/Kernel.ts"
import { isGone, isReady, isServed, type Stuck, waitUntil } from "../../src/simulation/scenario/Stage.ts"
import * as Users from "../../src/simulation/Users.ts"
import { Story } from "../../src/simulation/world/Story.ts"
import * as World from "../../src/simulation/world/World.ts"
import type { KubernetesError } from "../../src/ports/Kubernetes.ts"

const nodesCount = 3
const movedCount = 20
const settleMillis = 5_000
const hourMillis = 3_600_000

type Step<A> = Effect.Effect<A, Stuck | KubernetesError>

interface Counted {
  readonly operation: string
  readonly requests: number
  readonly routes: string
}

const ref = (name: string) => ({ namespace: "shop", name })

const create = ({ kubectl }: World.World, name: string) =>
  kubectl.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: ref(name),
    spec: { type: "LoadBalancer", ports: [{ port: 80 }] }
  })

const start = Effect.fnUntraced(function* (kernel: Kernel): Effect.fn.Return<World.World, Stuck | KubernetesError> {
  const story = new Story(kernel, { isTold: false })
  const world = yield* World.make(kernel, story, { nodesCount, controllersCount: 1, hearsLogs: false }, () => {})
  yield* world.kubectl.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } })
  yield* world.kubectl.create(ephemeralIPPools, Users.buyingPool("cloud"))
  yield* waitUntil("the cluster is ready", () => isReady(world))
  yield* Effect.sleep(settleMillis)
  return world
})

/** What is asked for from the beginning of the step until it has been quiet for a while. */
const counted = Effect.fnUntraced(function* (world: World.World, operation: string, step: Step<unknown>) {
  const before = world.cloud.project.requests()
  yield* step
  yield* Effect.sleep(settleMillis)
  const more = [...world.cloud.project.requests()].flatMap(([route, count]) => {
    const times = count - (before.get(route) ?? 0)
    return times === 0 ? [] : [{ route, times }]
  })
  const requests = more.reduce((sum, { times }) => sum + times, 0)
  return {
    operation,
    requests,
    routes: more.map(({ route, times }) => `${times} ${route}`).join(", ")
  } satisfies Counted
})

const served = (world: World.World, name: string) =>
  waitUntil(`${name} is served`, () => isServed(world, `shop/${name}`))

/** As hcloud-go lists. */
const perPage = 50
/** Within one page, and as an organisation may have. */
const projects = [50, 500] as const

interface Formula {
  readonly text: string
  /** For a list of so many pages. */
  readonly requestsOf: (pagesCount: number) => number
}

const create04: Formula = { text: "1 server + 1 create", requestsOf: () => 2 }

/** Of an idle hour that file says nothing. */
const formulas04: ReadonlyMap<string, Formula> = new Map([
  ["create", create04],
  ["create, another", create04],
  ["move", { text: "P lists + 1 server + 1 assign", requestsOf: (pagesCount) => pagesCount + 2 }],
  [
    "release",
    { text: "P lists + 1 delete, refused while assigned since 2026-05-01", requestsOf: (pagesCount) => pagesCount + 1 }
  ]
])

const requests04 = (operation: string, floatingIpsCount: number): number | undefined =>
  formulas04.get(operation)?.requestsOf(Math.ceil(floatingIpsCount / perPage))

const isRouted = ({ truth }: World.World, name: string): boolean =>
  (truth.allocations.get(`shop/${name}`)?.spec.allocations ?? []).every(({ address, nodeName }) =>
    truth.cloud.some(({ network, node }) => network === address && node === nodeName)
  )

const loseHolder = (world: World.World, names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const holder = world.truth.allocations.get(`shop/${names[0]}`)?.spec.allocations[0]?.nodeName
    const host = world.hosts.find(({ name }) => name === holder)
    if (host !== undefined) world.powerOff(host)
    const isMoved = (name: string) =>
      world.truth.allocations.get(`shop/${name}`)?.spec.allocations[0]?.nodeName !== holder && isRouted(world, name)
    yield* waitUntil("all are routed elsewhere", () => names.every(isMoved))
  })

const operations = Effect.fnUntraced(function* (kernel: Kernel) {
  const world = yield* start(kernel)
  return [
    yield* counted(world, "create", Effect.andThen(create(world, "one"), served(world, "one"))),
    yield* counted(world, "create, another", Effect.andThen(create(world, "two"), served(world, "two"))),
    yield* counted(world, "idle hour", Effect.sleep(hourMillis)),
    yield* counted(world, "move", loseHolder(world, ["one"])),
    yield* counted(
      world,
      "release",
      Effect.andThen(
        world.kubectl.delete(services, ref("one")),
        waitUntil("it is gone", () => isGone(world, "shop/one"))
      )
    )
  ]
})

/** Milliseconds from the loss of the node until the last is routed elsewhere. */
const failover = Effect.fnUntraced(function* (kernel: Kernel, isExhausted: boolean) {
  const world = yield* start(kernel)
  const [, ...others] = world.hosts
  // All on one node, and two to go to afterwards.
  for (const host of others) world.powerOff(host)
  yield* Effect.sleep(20_000)
  const names = Array.from({ length: movedCount }, (_, index) => `moved-${index}`)
  for (const name of names) yield* create(world, name)
  for (const name of names) yield* served(world, name)
  for (const host of others) world.powerOn(host)
  yield* waitUntil("all nodes are back", () => isReady(world))
  yield* Effect.sleep(30_000)
  if (isExhausted) world.cloud.project.console.drainBudget()
  const since = kernel.nowMillis
  yield* loseHolder(world, names)
  return kernel.nowMillis - since
})

const inVirtualTime = <A>(program: (kernel: Kernel) => Step<A>): A => {
  const kernel = new Kernel({ seed: 1, preemption: 0, isShuffled: false })
  const exit = withGuard(() => kernel.run(program(kernel)))
  if (Exit.isSuccess(exit)) return exit.value
  throw new Error(`the measurement did not end: ${String(exit.cause)}`)
}

const seconds = (millis: number): string => `${(millis / 1_000).toFixed(1)} s`

export const measure = (): Measurement => {
  const rows = inVirtualTime(operations)
  const full = inVirtualTime((kernel) => failover(kernel, false))
  const exhausted = inVirtualTime((kernel) => failover(kernel, true))
  return {
    table: {
      columns: ["operation", "requests", ...projects.map((count) => `v0.4, computed: ${count} in project`), "routes"],
      rows: [
        ...rows.map(({ operation, requests, routes }) => [
          operation,
          String(requests),
          ...projects.map((count) => String(requests04(operation, count) ?? "-")),
          routes
        ]),
        [`${movedCount} addresses of a dead node`, seconds(full), ...projects.map(() => "-"), "with a full budget"],
        [
          `${movedCount} addresses of a dead node`,
          seconds(exhausted),
          ...projects.map(() => "-"),
          "with an exhausted one"
        ],
        ...[...formulas04].map(([operation, { text }]) => [
          `v0.4, ${operation}`,
          "-",
          ...projects.map(() => "-"),
          `${text} (P: floating IPs / ${perPage}, rounded up)`
        ])
      ]
    },
    bounds: [],
    json: {
      operations: rows.map(({ operation, requests }) => ({
        operation,
        requestsCount: requests,
        computedOfV04: projects.map((floatingIpsCount) => ({
          floatingIpsCount,
          requestsCount: requests04(operation, floatingIpsCount) ?? null
        }))
      })),
      fullBudgetMillis: full,
      exhaustedBudgetMillis: exhausted
    }
  }
}
