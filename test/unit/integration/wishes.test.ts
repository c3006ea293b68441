/** Wishes that cannot be met, as the user sees them afterwards; controller and operators run on the memory layers. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Random } from "effect"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { services } from "../../../src/api/Service.ts"
import { runVirtually } from "../../conformance/kubernetes/VirtualTime.ts"
import * as TestCluster from "./TestCluster.ts"

const addressesAnnotation = "loadbalancing.plenus.io/addresses"
const web = { namespace: "shop", name: "web" }

const run = <A, E>(program: Effect.Effect<A, E>): A => {
  const exit = runVirtually(Random.withSeed(program, "wishes"))
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.squash(exit.cause)
}

/** One node, and a pool that gives its addresses to whoever asks for none. */
const start = Effect.fnUntraced(function* (wish: string) {
  const cluster = yield* TestCluster.make(["node-1"])
  yield* cluster.startController("controller-a")
  yield* cluster.startOperator("node-1")
  yield* cluster.api.create(persistentIPPools, {
    apiVersion: "loadbalancing.plenus.io/v1alpha1",
    kind: "PersistentIPPool",
    metadata: { name: "rack-1" },
    spec: {
      addresses: ["192.0.2.10", "192.0.2.11"],
      autoAssign: true,
      options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0", mode: "auto" } }
    }
  })
  yield* cluster.api.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...web, annotations: { [addressesAnnotation]: wish } },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }] }
  })
  yield* Effect.sleep("10 seconds")
  return cluster
})

const ask = (cluster: TestCluster.TestCluster, wish: string) =>
  cluster.api
    .patch(services, web, { metadata: { annotations: { [addressesAnnotation]: wish } } })
    .pipe(Effect.andThen(Effect.sleep("10 seconds")))

const offer = (cluster: TestCluster.TestCluster, addresses: ReadonlyArray<string>) =>
  cluster.api
    .patch(persistentIPPools, { name: "rack-1" }, { spec: { addresses } })
    .pipe(Effect.andThen(Effect.sleep("10 seconds")))

const seen = ({ memory }: TestCluster.TestCluster) => {
  const allocation = memory.truth.get(ipAllocations, web)
  const ingress = memory.truth.get(services, web)?.status?.loadBalancer?.ingress ?? []
  return {
    state: allocation?.status?.state,
    message: allocation?.status?.message ?? "",
    granted: allocation?.spec.allocations.map(({ address }) => address),
    shown: ingress.map(({ ip }) => ip)
  }
}

describe("a Service that names its address", () => {
  it("and cannot be read gets no other one instead, and is told which text is wrong", () =>
    run(
      Effect.gen(function* () {
        const cluster = yield* start("192.0.2.999")
        const { granted, message, shown, state } = seen(cluster)
        assert.deepStrictEqual({ granted, shown, state }, { granted: [], shown: [], state: "pending" })
        assert.include(message, addressesAnnotation)
        assert.include(message, "192.0.2.999")
        yield* ask(cluster, "192.0.2.10")
        assert.deepStrictEqual(seen(cluster).shown, ["192.0.2.10"])
      })
    ))

  it("keeps what it has while it cannot be read", () =>
    run(
      Effect.gen(function* () {
        const cluster = yield* start("192.0.2.10")
        yield* ask(cluster, "192.0.2.999")
        assert.deepStrictEqual(seen(cluster).shown, ["192.0.2.10"])
        assert.include(seen(cluster).message, "192.0.2.999")
      })
    ))

  it("is told that its pool has lost it, for as long as that is so", () =>
    run(
      Effect.gen(function* () {
        const cluster = yield* start("192.0.2.10")
        yield* offer(cluster, ["192.0.2.11"])
        const { granted, message, shown, state } = seen(cluster)
        assert.deepStrictEqual(
          { granted, shown, state },
          { granted: [], shown: [], state: "address_deleted_from_pool" }
        )
        assert.include(message, "192.0.2.10 was removed from spec.addresses of pool rack-1")
        yield* offer(cluster, ["192.0.2.10", "192.0.2.11"])
        assert.deepStrictEqual(seen(cluster).shown, ["192.0.2.10"])
        assert.strictEqual(seen(cluster).state, "success")
      })
    ))
})
