/** Somebody who undoes what users are told, as fast as it is told: two leaders that see things differently are such. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { allocation, createPool, createService, run, shown, start } from "./Acting.ts"

const web = { namespace: "shop", name: "web" }
const edited = { status: { state: "error", message: "edited" } }

describe("what users are told", () => {
  it("is put right a few times at once, then every five seconds, for as long as somebody undoes it", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* createService(cluster, "web")
        yield* Effect.sleep("10 seconds")
        assert.strictEqual(allocation(cluster, "web")?.status?.state, "success")
        let count = 0
        const undone = Effect.gen(function* () {
          if (allocation(cluster, "web")?.status?.state !== "success") return
          count += 1
          yield* cluster.api.patch(ipAllocations, web, edited, { subresource: "status" })
        })
        const others = Effect.forever(Effect.andThen(undone, Effect.sleep("10 millis")))
        yield* Effect.timeoutOption(others, "1 minute")
        assert.isAtLeast(count, 10)
        assert.isAtMost(count, 6 + 60 / 5 + 1)
        assert.lengthOf(shown(cluster, "web"), 1)
        yield* Effect.sleep("6 seconds")
        assert.strictEqual(allocation(cluster, "web")?.status?.state, "success")
      })
    )
  })
})
