/** What Prometheus is told. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { nodes } from "../../../src/api/Node.ts"
import type { Controller } from "../../../src/controller/Controller.ts"
import { createPersistent, createService, floatingIps, labelsOf, run, startServed } from "./CloudCluster.ts"

/** `name{label=value}` to value. */
const scrape = ({ measure }: Pick<Controller, "measure">) =>
  Effect.andThen(measure, Metric.snapshot).pipe(
    Effect.map(
      (snapshots) =>
        new Map(
          snapshots.map(({ attributes = {}, id, state }) => {
            const labels = Object.entries(attributes).map(([key, value]) => `${key}=${value}`)
            return [`${id}{${labels.toSorted().join()}}`, "value" in state ? Number(state.value) : Number.NaN]
          })
        )
    ),
    Effect.provideService(Metric.MetricRegistry, new Map())
  )

const inCloud = ["plenuslb_cloud_addresses", "plenuslb_cloud_addresses_idle"] as const

describe("the figures of a controller", () => {
  it("name what is paid for and idle, by the pool that pays, and what nobody has", () => {
    run(
      Effect.gen(function* () {
        const { cluster, controller, ip } = yield* startServed()
        const counts = (labels: string) =>
          Effect.map(scrape(controller), (figures) => inCloud.map((name) => figures.get(`${name}{${labels}}`)))
        assert.deepStrictEqual(yield* counts("kind=EphemeralIPPool,pool=cloud"), [1, 0])
        const mine = cluster.project.console.addFloatingIp({ type: "ipv4", name: "mine" })
        yield* createPersistent(cluster, [mine.ip])
        const labels = { ...labelsOf(cluster, ip), claim: "00000000-0000-4000-8000-000000000000" }
        cluster.project.console.addFloatingIp({ type: "ipv4", name: "left", labels })
        yield* Effect.sleep("65 seconds")
        assert.deepStrictEqual(yield* counts("kind=EphemeralIPPool,pool=cloud"), [1, 0])
        assert.deepStrictEqual(yield* counts("kind=PersistentIPPool,pool=mine"), [1, 1])
        assert.deepStrictEqual(yield* counts("kind=,pool="), [1, 1])
        assert.lengthOf(floatingIps(cluster), 3)
      })
    )
  })

  it("tell who leads, how full pools are, who waits, and how old the leases are", () => {
    run(
      Effect.gen(function* () {
        const { cluster, controller } = yield* startServed()
        yield* createPersistent(cluster, ["192.0.2.10-192.0.2.19"])
        yield* Effect.sleep("2 seconds")
        const figures = yield* scrape(controller)
        assert.strictEqual(figures.get("plenuslb_leader{}"), 1)
        assert.strictEqual(figures.get("plenuslb_services_waiting{}"), 0)
        const available = "plenuslb_pool_addresses{family=IPv4,kind=PersistentIPPool,pool=mine,state=available}"
        assert.strictEqual(figures.get(available), 10)
        assert.isAtMost(figures.get("plenuslb_node_lease_age_seconds{node=node-1}") ?? 99, 1)
      })
    )
  })

  it("tell nothing more of what only a leader knows, once another leads", () => {
    run(
      Effect.gen(function* () {
        const { cluster, controller } = yield* startServed()
        yield* createService(cluster, "waiting", { externalIPs: ["192.0.2.10"] })
        yield* Effect.sleep("5 seconds")
        const names = ["plenuslb_services_waiting{}", "plenuslb_cloud_addresses{kind=EphemeralIPPool,pool=cloud}"]
        const known = () => Effect.map(scrape(controller), (figures) => names.map((name) => figures.get(name)))
        assert.deepStrictEqual(yield* known(), [1, 1])
        yield* cluster.startController("controller-b")
        cluster.cutOff("controller-a")
        yield* Effect.sleep("60 seconds")
        cluster.heal("controller-a")
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(yield* known(), [0, undefined])
      })
    )
  })

  it("tell nothing of a node that is gone and was fenced", () => {
    run(
      Effect.gen(function* () {
        const { cluster, controller, operators } = yield* startServed()
        const ages = () =>
          Effect.map(scrape(controller), (figures) =>
            [...figures.keys()].filter((name) => name.startsWith("plenuslb_node_lease_age_seconds{"))
          )
        yield* operators[2]?.kill ?? Effect.void
        yield* Effect.sleep("60 seconds")
        assert.lengthOf(yield* ages(), 3)
        yield* cluster.api.delete(nodes, { name: "node-3" })
        yield* Effect.sleep("10 seconds")
        assert.lengthOf(yield* ages(), 2)
      })
    )
  })
})
