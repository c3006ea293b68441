/** The provider gives an address that a Service has already, from a pool that lists what is the provider's to give. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import {
  createService,
  deleteService,
  floatingIps,
  messageOf,
  onBridge,
  run,
  shown,
  startServed
} from "./CloudCluster.ts"

describe("an address that was bought and is another Service's by then", () => {
  it("is waited for, told of, and neither given back nor bought again", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startServed()
        const next = ip.replace(/\d+$/, (last) => String(Number(last) + 1))
        yield* cluster.api.create(persistentIPPools, {
          apiVersion: "loadbalancing.plenus.io/v1alpha1",
          kind: "PersistentIPPool",
          metadata: { name: "rack" },
          spec: { addresses: [next], options: onBridge }
        })
        yield* createService(cluster, "named", { externalIPs: [next] })
        yield* Effect.sleep("10 seconds")
        yield* createService(cluster, "second")
        yield* Effect.sleep("5 minutes")
        const bought = floatingIps(cluster).map((each) => each.ip)
        assert.deepStrictEqual(bought, [ip, next])
        assert.deepStrictEqual([shown(cluster, "named"), shown(cluster, "second")], [[next], []])
        assert.include(
          messageOf(cluster, "second"),
          `${next} was bought for it by pool cloud, and is held by Service shop/named`
        )
        assert.lengthOf(cluster.project.truth.purchases(), 2)
        yield* deleteService(cluster, "named")
        yield* Effect.sleep("20 seconds")
        assert.deepStrictEqual(shown(cluster, "second"), [next])
      })
    )
  })
})
