/** An address is reserved for a Service while it is written down for it, and no longer, whatever becomes of the write. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { services } from "../../../src/api/Service.ts"
import type { Fault } from "../../../src/memory/kubernetes/Faults.ts"
import { ReplyLost } from "../../../src/ports/Kubernetes.ts"
import { allocation, createPool, createService, run, shown, start } from "./Acting.ts"

const web = { namespace: "shop", name: "web" }
const wanted = "192.0.2.11"

const unanswered: Fault = { refuse: new ReplyLost({ message: "connection reset" }) }

describe("an address that could not be written down", () => {
  // oxfmt-ignore
  it.each<[string, Fault, boolean]>([
    // name                                                       fault        somebody else writes it first
    ["since somebody else wrote the IPAllocation",                {},          true],
    ["as far as is known, since nothing was answered",            unanswered,  false]
  ])("%s, is free when the Service is gone", (_, fault, isRaced) => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createService(cluster, "web", [wanted])
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(allocation(cluster, "web")?.spec.allocations, [])
        let hits = 0
        cluster.memory.faults.setPolicy(({ method, name, plural, subresource, user }) => {
          const isHit = user === "controller-a" && plural === ipAllocations.plural && name === "web"
          if (!isHit || method !== "patch" || subresource !== undefined || hits > 0) return Effect.succeed({})
          hits += 1
          return Effect.gen(function* () {
            if (isRaced) yield* cluster.api.patch(ipAllocations, web, { metadata: { annotations: { edited: "1" } } })
            yield* cluster.api.delete(services, web)
            return fault
          }).pipe(Effect.orDie)
        })
        yield* createPool(cluster, "rack-1")
        yield* Effect.sleep("30 seconds")
        assert.strictEqual(hits, 1)
        assert.isUndefined(allocation(cluster, "web"))
        yield* createService(cluster, "other", [wanted])
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(shown(cluster, "other"), [wanted])
      })
    )
  })

  it("is free when this replica leads again, after it was away and the Service went", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createService(cluster, "web", [wanted])
        yield* Effect.sleep("5 seconds")
        const other = yield* cluster.startController("controller-b")
        yield* Effect.sleep("5 seconds")
        let isAway = false
        cluster.memory.faults.setPolicy(({ method, name, plural, user }) => {
          const isHit = user === "controller-a" && plural === ipAllocations.plural && name === "web"
          const begins = !isAway && isHit && method === "patch"
          isAway ||= begins
          if (!isAway || user !== "controller-a") return Effect.succeed({})
          cluster.memory.watches.silence((watch) => watch.user === user)
          const gone = begins ? cluster.api.delete(services, web) : Effect.void
          return Effect.as(Effect.orDie(gone), unanswered)
        })
        yield* createPool(cluster, "rack-1")
        yield* Effect.sleep("60 seconds")
        assert.isTrue(isAway)
        assert.isUndefined(allocation(cluster, "web"))
        cluster.memory.faults.setPolicy(() => Effect.succeed({}))
        cluster.heal("controller-a")
        yield* Effect.sleep("60 seconds")
        yield* other.stop
        yield* Effect.sleep("60 seconds")
        yield* createService(cluster, "other", [wanted])
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(shown(cluster, "other"), [wanted])
      })
    )
  })
})
