/** A floating /64 is one address to pay for, to route and to return, whichever of it a Service has. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { ephemeralIPPools } from "../../../src/api/EphemeralIPPool.ts"
import {
  allocation,
  createEphemeral,
  createService,
  deleteService,
  editService,
  floatingIps,
  hetzner,
  run,
  shown,
  start
} from "./CloudCluster.ts"
import type * as TestCluster from "./TestCluster.ts"

const ofIPv6 = { ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" } as const

const withSuffix = (ipv6Suffix: string) => ({ cloudIntegration: { hetzner: { ...hetzner.hetzner, ipv6Suffix } } })

const setSuffix = (cluster: TestCluster.TestCluster, ipv6Suffix: string) =>
  cluster.api.patch(ephemeralIPPools, { name: "cloud" }, { spec: withSuffix(ipv6Suffix) })

const startServed = Effect.fnUntraced(function* (maxAddresses: number) {
  const running = yield* start()
  yield* createEphemeral(running.cluster, "cloud", { maxAddresses })
  yield* createService(running.cluster, "web", ofIPv6)
  yield* Effect.sleep("30 seconds")
  return running
})

const networks = (cluster: TestCluster.TestCluster) => floatingIps(cluster).map(({ ip }) => ip)

describe("another ipv6Suffix", () => {
  it("is for what is bought from now on, and what is granted counts once against maxAddresses", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* startServed(2)
        const [first = ""] = networks(cluster)
        assert.deepStrictEqual(shown(cluster, "web"), [first.replace("::/64", "::1")])
        yield* setSuffix(cluster, "::2")
        yield* Effect.sleep("65 seconds")
        yield* createService(cluster, "blog", ofIPv6)
        yield* Effect.sleep("30 seconds")
        const [, second = ""] = networks(cluster)
        assert.deepStrictEqual(shown(cluster, "web"), [first.replace("::/64", "::1")])
        assert.deepStrictEqual(shown(cluster, "blog"), [second.replace("::/64", "::2")])
        yield* createService(cluster, "lab", ofIPv6)
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual([networks(cluster).length, shown(cluster, "lab")], [2, []])
        yield* deleteService(cluster, "web")
        yield* deleteService(cluster, "blog")
        yield* deleteService(cluster, "lab")
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(networks(cluster), [])
      })
    )
  })

  it("leaves what is granted to the pool that paid for it, in the figures", () => {
    run(
      Effect.gen(function* () {
        const { cluster, controller } = yield* startServed(2)
        yield* setSuffix(cluster, "::2")
        yield* Effect.sleep("65 seconds")
        const snapshots = yield* Effect.andThen(controller.measure, Metric.snapshot).pipe(
          Effect.provideService(Metric.MetricRegistry, new Map())
        )
        const paid = snapshots.flatMap(({ attributes = {}, id, state }) =>
          id === "plenuslb_cloud_addresses" && "value" in state ? [[attributes["pool"], Number(state.value)]] : []
        )
        assert.deepStrictEqual(paid, [
          ["cloud", 1],
          ["", 0]
        ])
      })
    )
  })

  it("of another pool of the project, which a Service names then, changes nothing of what it has", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* startServed(2)
        const before = networks(cluster)
        yield* createEphemeral(cluster, "other", withSuffix("::7"))
        yield* Effect.sleep("5 seconds")
        yield* editService(cluster, "web", {
          metadata: { annotations: { "loadbalancing.plenus.io/pool": "other" } }
        })
        yield* Effect.sleep("65 seconds")
        assert.deepStrictEqual(networks(cluster), before)
        assert.deepStrictEqual(
          shown(cluster, "web"),
          before.map((network) => network.replace("::/64", "::1"))
        )
        assert.deepStrictEqual(
          allocation(cluster, "web")?.spec.allocations.map(({ pool }) => pool),
          ["other"]
        )
      })
    )
  })
})
