/** What was bought a moment before a Service goes, while reads lag behind: it is given back, not left to the sweep of orphans. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  allocation,
  createEphemeral,
  createService,
  deleteService,
  floatingIps,
  isPurchase,
  run,
  start,
  startServed
} from "./CloudCluster.ts"
import type * as TestCluster from "./TestCluster.ts"

const isRead = ({ route }: { readonly route: string }) => route.startsWith("GET /floating_ips")

const purchases = ({ project }: TestCluster.TestCluster) => project.truth.purchases()
const isGone = (cluster: TestCluster.TestCluster, name: string) => allocation(cluster, name) === undefined

/** Until the last of them was made, which may be a moment before. */
const untilBought = (cluster: TestCluster.TestCluster, count: number): Effect.Effect<void> =>
  Effect.suspend(() =>
    purchases(cluster).length >= count
      ? Effect.void
      : Effect.andThen(Effect.sleep("50 millis"), untilBought(cluster, count))
  )

describe("what was bought a moment before its Service goes", () => {
  it("is given back when its reply was lost and reads are four seconds old", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createEphemeral(cluster)
        yield* Effect.sleep("5 seconds")
        cluster.project.faults.setPolicy((request) =>
          isPurchase(request) ? { loseReply: true } : isRead(request) ? { staleMillis: 4_000 } : {}
        )
        yield* createService(cluster, "web")
        yield* untilBought(cluster, 1)
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("30 seconds")
        assert.strictEqual(purchases(cluster).length, 1)
        assert.deepStrictEqual(floatingIps(cluster), [])
        assert.isTrue(isGone(cluster, "web"))
      })
    )
  })

  it("is given back when it was granted, and another controller that takes over reads what was four seconds before", () => {
    run(
      Effect.gen(function* () {
        const { cluster, controller } = yield* start()
        yield* cluster.startController("controller-b")
        yield* createEphemeral(cluster)
        yield* Effect.sleep("5 seconds")
        yield* createService(cluster, "web")
        yield* untilBought(cluster, 1)
        yield* Effect.sleep("100 millis")
        assert.lengthOf(allocation(cluster, "web")?.spec.allocations ?? [], 1)
        cluster.project.faults.setPolicy((request) => (isRead(request) ? { staleMillis: 4_000 } : {}))
        yield* deleteService(cluster, "web")
        yield* controller.stop
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(floatingIps(cluster), [])
        assert.isTrue(isGone(cluster, "web"))
      })
    )
  })

  it("is given back when it was read a moment before, and the next read is older", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* startServed()
        yield* createService(cluster, "other")
        yield* untilBought(cluster, 2)
        yield* Effect.sleep("5 seconds")
        const [, bought] = purchases(cluster)
        let reads = 0
        cluster.project.faults.setPolicy(({ id, route }) =>
          route === "GET /floating_ips/{id}" && id === bought?.id && ++reads === 2 ? { staleMillis: 6_000 } : {}
        )
        yield* deleteService(cluster, "other")
        yield* Effect.sleep("30 seconds")
        assert.isAtLeast(reads, 2)
        assert.lengthOf(floatingIps(cluster), 1)
        assert.isTrue(isGone(cluster, "other"))
      })
    )
  })

  it("waits no longer than that when nothing was bought", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* startServed()
        cluster.project.faults.setPolicy((request) => (isPurchase(request) ? { badGateway: "before" } : {}))
        yield* createService(cluster, "other")
        yield* Effect.sleep("5 seconds")
        yield* deleteService(cluster, "other")
        yield* Effect.sleep("8 seconds")
        assert.isTrue(isGone(cluster, "other"))
      })
    )
  })
})
