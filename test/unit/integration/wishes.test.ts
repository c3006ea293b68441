/** Wishes that cannot be met, as the user sees them afterwards; controller and operators run on the memory layers. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Random } from "effect"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { serviceConditionType } from "../../../src/api/Names.ts"
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
  // Until the operator has heard of the pool, its interface is one that no node has.
  yield* Effect.sleep("5 seconds")
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

const conditionOf = ({ memory }: TestCluster.TestCluster) =>
  memory.truth.get(services, web)?.status?.conditions?.find(({ type }) => type === serviceConditionType)

const writesOf = ({ memory }: TestCluster.TestCluster): ReadonlyArray<string> =>
  [...memory.requests()]
    .filter(([request]) => /^controller-\S+ (create|patch|apply|delete) (services|ipallocations)/.test(request))
    .map(([request, count]) => `${request}: ${count}`)

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

describe("a Service that waits", () => {
  const foreign = {
    type: "example.com/Other",
    status: "True",
    reason: "Here",
    message: "",
    lastTransitionTime: "2026-01-01T00:00:00Z"
  }
  const setForeign = ({ api }: TestCluster.TestCluster) =>
    api.apply(
      services,
      { apiVersion: "v1", kind: "Service", metadata: web, status: { conditions: [foreign] } },
      { fieldManager: "other", force: true, subresource: "status" }
    )

  it("says so in its own condition, with the reason of the event, and that it is served once it is", () =>
    run(
      Effect.gen(function* () {
        const cluster = yield* start("192.0.2.12")
        const { lastTransitionTime, ...waits } = conditionOf(cluster) ?? {}
        const { message } = seen(cluster)
        assert.include(message, "192.0.2.12")
        const told = { type: serviceConditionType, status: "False", reason: "AddressNotInAnyPool", message }
        assert.deepStrictEqual(waits, told)
        assert.match(String(lastTransitionTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)

        yield* ask(cluster, "192.0.2.13")
        assert.include(String(conditionOf(cluster)?.["message"]), "192.0.2.13")
        assert.strictEqual(conditionOf(cluster)?.["lastTransitionTime"], lastTransitionTime)

        yield* offer(cluster, ["192.0.2.13"])
        assert.deepStrictEqual(seen(cluster).shown, ["192.0.2.13"])
        assert.strictEqual(conditionOf(cluster)?.["status"], "True")
        assert.strictEqual(conditionOf(cluster)?.["reason"], "AddressServed")
        assert.notStrictEqual(conditionOf(cluster)?.["lastTransitionTime"], lastTransitionTime)
      })
    ))

  it("costs nothing more: one that is served at once has no condition, and a restart writes nothing", () =>
    run(
      Effect.gen(function* () {
        const served = yield* start("192.0.2.10")
        assert.isUndefined(conditionOf(served))
        const waiting = yield* start("192.0.2.12")
        const healed = yield* start("192.0.2.12")
        yield* ask(healed, "192.0.2.10")
        assert.deepStrictEqual(
          [waiting, healed].map((each) => conditionOf(each)?.["status"]),
          ["False", "True"]
        )
        for (const cluster of [served, waiting, healed]) {
          const before = writesOf(cluster)
          yield* cluster.startController("controller-b")
          cluster.cutOff("controller-a")
          yield* Effect.sleep("20 seconds")
          assert.deepStrictEqual(writesOf(cluster), before)
        }
      })
    ))

  it("loses the condition, and only this one, when it is not ours any more", () =>
    run(
      Effect.gen(function* () {
        const cluster = yield* start("192.0.2.12")
        yield* setForeign(cluster)
        yield* ask(cluster, "192.0.2.10")
        assert.strictEqual(conditionOf(cluster)?.["status"], "True")
        yield* cluster.api.patch(services, web, { spec: { type: "ClusterIP" } })
        yield* Effect.sleep("10 seconds")
        assert.isUndefined(cluster.memory.truth.get(ipAllocations, web))
        assert.deepStrictEqual(cluster.memory.truth.get(services, web)?.status?.conditions, [foreign])
      })
    ))
})
