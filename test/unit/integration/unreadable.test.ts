/** What cannot be read for a while leaves nothing behind once it is gone or can be read. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { events } from "../../../src/api/Event.ts"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { services } from "../../../src/api/Service.ts"
import { allocation, carriers, createPool, createService, run, start } from "./Acting.ts"

const web = { namespace: "shop", name: "web" }
const ofServices = ({ plural, user }: { readonly plural: string; readonly user: string }) =>
  user === "controller-b" && plural === services.plural
const settled = Effect.sleep("5 seconds")

/** Served, and then led by a controller that could never read this object. */
const unreadableSinceStart = Effect.fnUntraced(function* (object: string) {
  const { cluster, controller } = yield* start()
  yield* createPool(cluster, "rack-1")
  yield* createService(cluster, "web")
  yield* settled
  yield* controller.stop
  cluster.unreadable.add(object)
  yield* cluster.startController("controller-b")
  yield* Effect.sleep("30 seconds")
  return cluster
})

describe("a Service that could never be read", () => {
  it("leaves no IPAllocation behind when it is gone, though that is heard of late", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* unreadableSinceStart("services/shop/web")
        const { watches } = cluster.memory
        watches.silence(ofServices)
        yield* cluster.api.delete(services, web)
        yield* settled
        assert.isDefined(allocation(cluster, "web")?.metadata.deletionTimestamp)
        watches.reset(ofServices)
        yield* settled
        assert.isUndefined(allocation(cluster, "web"))
        assert.deepStrictEqual(carriers(cluster, "192.0.2.10"), [])
      })
    )
  })
})

describe("an object that cannot be read", () => {
  it("is told of again when it could be read in between", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* createService(cluster, "web")
        yield* settled
        const edit = (n: number) =>
          Effect.andThen(
            cluster.api.patch(ipAllocations, web, { metadata: { annotations: { edited: `${n}` } } }),
            settled
          )
        const told = () => cluster.memory.truth.list(events).filter(({ reason }) => reason === "Unreadable").length
        cluster.unreadable.add("ipallocations/shop/web")
        yield* edit(1)
        yield* edit(2)
        assert.strictEqual(told(), 1)
        cluster.unreadable.clear()
        yield* edit(3)
        cluster.unreadable.add("ipallocations/shop/web")
        yield* edit(4)
        assert.strictEqual(told(), 2)
      })
    )
  })
})

describe("an IPAllocation that could never be read", () => {
  it("counts in its pool, and no more when it is gone", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* unreadableSinceStart("ipallocations/shop/web")
        const inUse = () => cluster.memory.truth.get(persistentIPPools, { name: "rack-1" })?.status?.addressesInUse
        assert.strictEqual(inUse(), 1)
        yield* cluster.api.delete(services, web)
        yield* settled
        yield* cluster.api.patch(ipAllocations, web, { metadata: { finalizers: [] } })
        yield* settled
        assert.isUndefined(allocation(cluster, "web"))
        assert.strictEqual(inUse(), 0)
      })
    )
  })

  it("keeps its pool until it is gone, as others do", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* unreadableSinceStart("ipallocations/shop/web")
        const pool = () => cluster.memory.truth.get(persistentIPPools, { name: "rack-1" })
        yield* cluster.api.delete(persistentIPPools, { name: "rack-1" })
        yield* settled
        assert.isDefined(pool())
        yield* cluster.api.delete(services, web)
        yield* cluster.api.patch(ipAllocations, web, { metadata: { finalizers: [] } })
        yield* settled
        assert.isUndefined(allocation(cluster, "web"))
        assert.isUndefined(pool())
      })
    )
  })
})
