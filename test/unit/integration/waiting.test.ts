/** Whoever waits for an address has it as soon as one is free that suits, whoever else waits, and whatever they wait for. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { services } from "../../../src/api/Service.ts"
import { keepInUse, serviceAnnotations } from "../../../src/domain/Annotations.ts"
import { createPool, run, shown, start } from "./Acting.ts"
import type { TestCluster } from "./TestCluster.ts"

const createService = (cluster: TestCluster, name: string, family: "IPv4" | "IPv6", pool = "rack-1") =>
  cluster.api.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "shop", annotations: { [serviceAnnotations.pool]: pool } },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }], ipFamilies: [family] }
  })

const remove = (cluster: TestCluster, name: string) => cluster.api.delete(services, { namespace: "shop", name })

const settled = Effect.sleep("5 seconds")

/** Without an interface: none of the nodes has a network of IPv6. */
const narrow = { addresses: ["192.0.2.10", "2001:db8::10"], options: {} }

describe("an address that becomes free", () => {
  it("goes to who waits for one of its family, though others have waited longer for the other", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1", narrow)
        yield* createService(cluster, "four", "IPv4")
        yield* createService(cluster, "six", "IPv6")
        yield* settled
        assert.deepStrictEqual([...shown(cluster, "four"), ...shown(cluster, "six")], narrow.addresses)
        yield* createService(cluster, "first", "IPv6")
        yield* settled
        yield* createService(cluster, "second", "IPv4")
        yield* settled
        yield* remove(cluster, "four")
        yield* settled
        assert.deepStrictEqual(shown(cluster, "second"), ["192.0.2.10"])
      })
    )
  })

  it("goes to who waits for the pool that lists it by now", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1", { addresses: ["192.0.2.10"] })
        yield* createService(cluster, "web", "IPv4")
        yield* settled
        yield* cluster.api.patch(
          persistentIPPools,
          { name: "rack-1" },
          { metadata: { annotations: { [keepInUse]: "true" } }, spec: { addresses: ["192.0.2.11"] } }
        )
        yield* createPool(cluster, "rack-2", { addresses: ["192.0.2.10"] })
        yield* createService(cluster, "next", "IPv4", "rack-2")
        yield* settled
        assert.deepStrictEqual([...shown(cluster, "web"), ...shown(cluster, "next")], ["192.0.2.10"])
        yield* remove(cluster, "web")
        yield* settled
        assert.deepStrictEqual(shown(cluster, "next"), ["192.0.2.10"])
      })
    )
  })

  it("goes to the next when who has waited longest cannot be read", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1", narrow)
        for (const name of ["web", "first", "second"]) {
          yield* createService(cluster, name, "IPv4")
          yield* settled
        }
        cluster.unreadable.add("services/shop/first")
        const edited = { metadata: { labels: { edited: "1" } } }
        yield* cluster.api.patch(services, { namespace: "shop", name: "first" }, edited)
        yield* settled
        yield* remove(cluster, "web")
        yield* settled
        assert.deepStrictEqual(shown(cluster, "second"), ["192.0.2.10"])
      })
    )
  })
})
