/** Addresses that are labelled for an IPAllocation that is no more: told, and given back after ten minutes. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { services } from "../../../src/api/Service.ts"
import {
  conditionOf,
  createPersistent,
  createService,
  floatingIps,
  labelsOf,
  routedTo,
  run,
  shown,
  startServed
} from "./CloudCluster.ts"

const nobody = "00000000-0000-4000-8000-000000000000"

const isList = ({ route }: { readonly route: string }) => route === "GET /floating_ips"
const isRelabel = ({ route }: { readonly route: string }) => route === "PUT /floating_ips/{id}"

/** Beside an address that is served, one that is labelled for nobody and routed somewhere. */
const startWithOrphan = Effect.fnUntraced(function* (ownership: "created" | "adopted") {
  const { cluster, ip } = yield* startServed()
  const labels = { ...labelsOf(cluster, ip), claim: nobody, ownership, team: "web" }
  const [server] = cluster.project.truth.servers()
  const seed = { type: "ipv4", name: "left", labels, ...(server && { server: server.id }) } as const
  return { cluster, ip, orphan: cluster.project.console.addFloatingIp(seed) }
})

describe("an address that nobody has", () => {
  it("and that was bought is told, and given back, but not at once", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip, orphan } = yield* startWithOrphan("created")
        yield* Effect.sleep("3 minutes")
        assert.lengthOf(floatingIps(cluster), 2)
        assert.include(
          conditionOf(cluster, "Degraded")?.message ?? "",
          `Bought by this cluster for what is no more: ${orphan.ip}`
        )
        yield* Effect.sleep("12 minutes")
        assert.deepStrictEqual(
          floatingIps(cluster).map((each) => each.ip),
          [ip]
        )
        assert.deepStrictEqual(shown(cluster, "web"), [ip])
      })
    )
  })

  it("is told no more as soon as it has been given back (seed 800 of the simulation)", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* startWithOrphan("created")
        yield* Effect.sleep("3 minutes")
        assert.strictEqual(conditionOf(cluster, "Degraded")?.reason, "OrphanedAddresses")
        yield* Effect.repeat(Effect.sleep("1 second"), { until: () => floatingIps(cluster).length === 1 })
        yield* Effect.sleep("2 seconds")
        assert.strictEqual(conditionOf(cluster, "Degraded")?.status, "False")
      })
    )
  })

  it("and that is the user's own is told, unassigned and left with the user's labels, but not at once", () => {
    run(
      Effect.gen(function* () {
        const { cluster, orphan } = yield* startWithOrphan("adopted")
        yield* Effect.sleep("3 minutes")
        assert.strictEqual(labelsOf(cluster, orphan.ip)["claim"], nobody)
        assert.include(conditionOf(cluster, "Degraded")?.message ?? "", `Labelled for what is no more: ${orphan.ip}`)
        yield* Effect.sleep("12 minutes")
        assert.deepStrictEqual(labelsOf(cluster, orphan.ip), { team: "web" })
        assert.isUndefined(routedTo(cluster, orphan.ip))
        assert.strictEqual(conditionOf(cluster, "Degraded")?.status, "False")
      })
    )
  })

  it.each(["created", "adopted"] as const)(
    "(%s) stays as it is for a Service that asks for it by then",
    (ownership) => {
      run(
        Effect.gen(function* () {
          const { cluster, orphan } = yield* startWithOrphan(ownership)
          yield* createPersistent(cluster, [orphan.ip])
          // Its labels cannot follow yet.
          cluster.project.faults.setPolicy((request) => (isRelabel(request) ? { badGateway: "before" } : {}))
          yield* createService(cluster, "own", { externalIPs: [orphan.ip] })
          yield* Effect.sleep("15 minutes")
          assert.strictEqual(labelsOf(cluster, orphan.ip)["claim"], nobody)
          assert.isDefined(routedTo(cluster, orphan.ip))
          cluster.project.faults.clear()
          yield* Effect.sleep("10 minutes")
          assert.deepStrictEqual(shown(cluster, "own"), [orphan.ip])
          yield* cluster.api.delete(services, { namespace: "shop", name: "own" })
          yield* Effect.sleep("20 seconds")
          assert.deepStrictEqual(labelsOf(cluster, orphan.ip), { team: "web" })
        })
      )
    }
  )

  it("is kept by who takes its labels off, although a list may say for minutes that it has them", () => {
    run(
      Effect.gen(function* () {
        const { cluster, orphan } = yield* startWithOrphan("created")
        yield* Effect.sleep("9 minutes")
        cluster.project.console.change(orphan.id, { labels: { team: "web" } })
        cluster.project.faults.setPolicy((request) => (isList(request) ? { staleMillis: 300_000 } : {}))
        yield* Effect.sleep("10 minutes")
        assert.deepStrictEqual(labelsOf(cluster, orphan.ip), { team: "web" })
        assert.isDefined(routedTo(cluster, orphan.ip))
      })
    )
  })

  it("is left to the next leader by who has lost the leadership while it looked", () => {
    run(
      Effect.gen(function* () {
        const { cluster, orphan } = yield* startWithOrphan("created")
        let isLooking = false
        cluster.cloudPause.millisOf = (path) => {
          if (!path.endsWith(`/floating_ips/${orphan.id}`)) return 0
          isLooking = true
          return 8_000
        }
        yield* Effect.repeat(Effect.sleep("100 millis"), { until: () => isLooking })
        cluster.cutOff("controller-a")
        yield* Effect.sleep("3 minutes")
        assert.strictEqual(labelsOf(cluster, orphan.ip)["claim"], nobody)
      })
    )
  })

  it("is not what an IPAllocation has that could never be read", () => {
    run(
      Effect.gen(function* () {
        const { cluster, controller, ip } = yield* startServed()
        yield* controller.stop
        cluster.unreadable.add("ipallocations/shop/web")
        yield* cluster.startController("controller-b")
        yield* Effect.sleep("3 minutes")
        assert.strictEqual(conditionOf(cluster, "Degraded")?.message, "Every field is acted on.")
        assert.deepStrictEqual(shown(cluster, "web"), [ip])
      })
    )
  })
})
