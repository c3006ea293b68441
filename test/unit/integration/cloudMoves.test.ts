/** A planned move of a cloud address: packets find a node that has it at every instant. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { nodes } from "../../../src/api/Node.ts"
import { services } from "../../../src/api/Service.ts"
import {
  allocation,
  createService,
  deleteService,
  floatingIps,
  holderOf,
  isAssign,
  isPurchase,
  routedTo,
  run,
  startServed,
  threeNodes
} from "./CloudCluster.ts"
import type * as TestCluster from "./TestCluster.ts"

const exclude = "node.kubernetes.io/exclude-from-external-load-balancers"

const carriers = (cluster: TestCluster.TestCluster, ip: string): ReadonlyArray<string> =>
  threeNodes.filter((node) =>
    cluster
      .kernel(node)
      .state()
      .interfaces.some((each) => each.addresses.some(({ address }) => address === ip))
  )

const setExcluded = (cluster: TestCluster.TestCluster, node: string, value: string | null) =>
  cluster.api.patch(nodes, { name: node }, { metadata: { labels: { [exclude]: value } } })

/** Looks every few milliseconds, until it is interrupted, whether the node that gets the packets has the address. */
const watchGaps = (cluster: TestCluster.TestCluster, ip: string, gaps: Array<string>) =>
  Effect.sync(() => {
    const target = routedTo(cluster, ip) ?? "nowhere"
    if (!carriers(cluster, ip).includes(target)) gaps.push(target)
  }).pipe(Effect.andThen(Effect.sleep("2 millis")), Effect.forever, Effect.forkChild)

const startWatched = Effect.fnUntraced(function* () {
  const running = yield* startServed()
  const holder = routedTo(running.cluster, running.ip) ?? ""
  const gaps: Array<string> = []
  const watching = yield* watchGaps(running.cluster, running.ip, gaps)
  return { ...running, gaps, holder, ended: Fiber.interrupt(watching) }
})

describe("a planned move", () => {
  it("has the next node take the address, then the route moves, and only then the one before lets go", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ended, gaps, holder, ip } = yield* startWatched()
        yield* setExcluded(cluster, holder, "")
        yield* Effect.sleep("700 millis")
        assert.lengthOf(carriers(cluster, ip), 2, "both have it while the provider is at work")
        yield* Effect.sleep("10 seconds")
        yield* ended
        assert.deepStrictEqual(gaps, [])
        assert.notStrictEqual(routedTo(cluster, ip), holder)
        assert.strictEqual(carriers(cluster, ip).join(), routedTo(cluster, ip))
        assert.deepStrictEqual(
          allocation(cluster, "web")?.spec.allocations.map(({ previous }) => previous),
          [undefined]
        )
      })
    )
  })

  it("leaves the one before at work for as long as the provider moves nothing", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ended, gaps, holder, ip } = yield* startWatched()
        cluster.project.faults.setPolicy((request) => (isAssign(request) ? { action: { status: "error" } } : {}))
        yield* setExcluded(cluster, holder, "")
        yield* Effect.sleep("2 minutes")
        assert.strictEqual(routedTo(cluster, ip), holder)
        assert.include(carriers(cluster, ip), holder)
        cluster.project.faults.clear()
        yield* Effect.sleep("2 minutes")
        yield* ended
        assert.deepStrictEqual(gaps, [])
        assert.strictEqual(carriers(cluster, ip).join(), routedTo(cluster, ip))
      })
    )
  })

  it("goes back without a gap when the one before may hold it again, and nobody else", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ended, gaps, holder, ip } = yield* startWatched()
        yield* setExcluded(cluster, holder, "")
        yield* Effect.sleep("700 millis")
        yield* setExcluded(cluster, holder, null)
        for (const node of threeNodes.filter((each) => each !== holder)) yield* setExcluded(cluster, node, "")
        yield* Effect.sleep("30 seconds")
        yield* ended
        assert.deepStrictEqual(gaps, [])
        assert.deepStrictEqual(carriers(cluster, ip), [holder])
        assert.deepStrictEqual(holderOf(cluster, "web"), [routedTo(cluster, ip)])
      })
    )
  })

  it("leaves the address on no node when its Service goes meanwhile", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ended, holder, ip } = yield* startWatched()
        yield* ended
        yield* setExcluded(cluster, holder, "")
        yield* Effect.sleep("700 millis")
        yield* cluster.api.delete(services, { namespace: "shop", name: "web" })
        yield* Effect.sleep("20 seconds")
        assert.deepStrictEqual(carriers(cluster, ip), [])
        assert.isUndefined(allocation(cluster, "web"))
      })
    )
  })
})

describe("a route that somebody moves in the console", () => {
  it("is moved back, although what was asked for another Service had the addresses listed first", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startServed()
        const holder = routedTo(cluster, ip) ?? ""
        const { console, faults, truth } = cluster.project
        faults.setPolicy((request) => (isPurchase(request) ? { badGateway: "before" } : {}))
        yield* createService(cluster, "other")
        yield* Effect.sleep("5 seconds")
        const other = truth.servers().find(({ name }) => name !== holder)
        const moved = floatingIps(cluster).find((each) => each.ip === ip)
        console.change(moved?.id ?? 0, { server: other?.id ?? null })
        // What may have been bought for it is looked for in a list of now.
        yield* deleteService(cluster, "other")
        yield* Effect.sleep("10 seconds")
        assert.isUndefined(allocation(cluster, "other"))
        assert.strictEqual(routedTo(cluster, ip), other?.name)
        yield* Effect.sleep("2 minutes")
        assert.strictEqual(routedTo(cluster, ip), holder)
      })
    )
  })
})
