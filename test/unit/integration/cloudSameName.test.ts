/** A pool of the other kind that comes later, under the name of one that has bought. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { persistentIPPools, type PersistentIPPoolSpec } from "../../../src/api/PersistentIPPool.ts"
import {
  allocation,
  createEphemeral,
  createService,
  deleteService,
  floatingIps,
  hetzner,
  labelsOf,
  onBridge,
  routedTo,
  run,
  shown,
  start,
  startOwnServed
} from "./CloudCluster.ts"

/** "mine" buys for a Service, and then another pool gets its name. */
const startShadowed = Effect.fnUntraced(function* (parts: Partial<PersistentIPPoolSpec>) {
  const running = yield* start()
  const { cluster } = running
  yield* createEphemeral(cluster, "mine")
  yield* Effect.sleep("5 seconds")
  yield* createService(cluster, "web")
  yield* Effect.sleep("20 seconds")
  const [ip = ""] = shown(cluster, "web")
  assert.isNotEmpty(ip)
  yield* cluster.api.create(persistentIPPools, {
    apiVersion: "loadbalancing.plenus.io/v1alpha1",
    kind: "PersistentIPPool",
    metadata: { name: "mine" },
    spec: { addresses: ["198.51.100.77"], options: onBridge, ...parts }
  })
  yield* Effect.sleep("2 minutes")
  return { ...running, ip }
})

describe("an address that was bought by a pool whose name another gets", () => {
  it.each([
    ["of no cloud", {}],
    ["of the same project", { cloudIntegration: hetzner }]
  ])("stays, bought by us, and is given back with its Service: one %s", (_, parts) => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startShadowed(parts)
        assert.deepStrictEqual(shown(cluster, "web"), [ip])
        assert.isDefined(routedTo(cluster, ip))
        assert.strictEqual(labelsOf(cluster, ip)["ownership"], "created")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("1 minute")
        assert.isUndefined(allocation(cluster, "web"))
        assert.deepStrictEqual(floatingIps(cluster), [])
      })
    )
  })
})

describe("one's own address, taken off a pool whose name one that buys has got", () => {
  it("is not taken for bought, and stays when its Service goes", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startOwnServed()
        yield* createEphemeral(cluster, "mine")
        const addresses = { spec: { addresses: ["198.51.100.77"] } }
        yield* cluster.api.patch(persistentIPPools, { name: "mine" }, addresses)
        yield* Effect.sleep("2 minutes")
        assert.notStrictEqual(labelsOf(cluster, ip)["ownership"], "created")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("1 minute")
        assert.deepStrictEqual(
          floatingIps(cluster).map((each) => [each.ip, each.server]),
          [[ip, null]]
        )
      })
    )
  })
})
