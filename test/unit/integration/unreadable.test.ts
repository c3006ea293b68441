/** What cannot be read for a while leaves nothing behind once it is gone or can be read. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { services } from "../../../src/api/Service.ts"
import { allocation, carriers, createPool, createService, run, start } from "./Acting.ts"

const web = { namespace: "shop", name: "web" }
const ofServices = ({ plural, user }: { readonly plural: string; readonly user: string }) =>
  user === "controller-b" && plural === services.plural
const settled = Effect.sleep("5 seconds")

describe("a Service that could never be read", () => {
  it("leaves no IPAllocation behind when it is gone, though that is heard of late", () => {
    run(
      Effect.gen(function* () {
        const { cluster, controller } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* createService(cluster, "web")
        yield* settled
        yield* controller.stop
        cluster.unreadable.add("services/shop/web")
        yield* cluster.startController("controller-b")
        yield* Effect.sleep("30 seconds")
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
