/** What the provider's list has and this version does not understand: it is there, and it is left alone. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { namespaces } from "../../../src/api/Namespace.ts"
import {
  allocation,
  conditionOf,
  createEphemeral,
  createService,
  deleteService,
  floatingIps,
  messageOf,
  run,
  shown,
  start,
  startServed
} from "./CloudCluster.ts"
import type * as TestCluster from "./TestCluster.ts"

const isOfOne = ({ route }: { readonly route: string }) => route.includes("/floating_ips")

type Wire = { readonly [key: string]: unknown }

/** Each reply says another type of the floating IPs of this name, as one that came after this version has. */
const estrange = ({ project }: TestCluster.TestCluster, isMeant: (name: string) => boolean) => {
  const strange = (each: Wire): Wire => (isMeant(String(each["name"])) ? { ...each, type: "ipv8" } : each)
  project.faults.setPolicy((request) =>
    isOfOne(request)
      ? {
          rewrite: (body) => {
            const said: { floating_ips?: ReadonlyArray<Wire>; floating_ip?: Wire } = JSON.parse(body)
            if (said.floating_ips !== undefined) said.floating_ips = said.floating_ips.map(strange)
            if (said.floating_ip !== undefined) said.floating_ip = strange(said.floating_ip)
            return JSON.stringify(said)
          }
        }
      : {}
  )
}

const isBought = (name: string) => name.startsWith("plenuslb-ephemeral-")

const countedBy = ({ measure }: Pick<TestCluster.RunningController, "measure">) =>
  Effect.andThen(measure, Metric.snapshot).pipe(
    Effect.map((snapshots) =>
      snapshots.flatMap(({ id, state }) =>
        id === "plenuslb_cloud_unreadable" && "value" in state ? [Number(state.value)] : []
      )
    ),
    Effect.provideService(Metric.MetricRegistry, new Map())
  )

const purchases = ({ project }: TestCluster.TestCluster) => project.truth.purchases().length

describe("a floating IP that is not understood", () => {
  it("and is somebody else's keeps nobody from the others", () => {
    run(
      Effect.gen(function* () {
        const { cluster, controller } = yield* start()
        cluster.project.console.addFloatingIp({ type: "ipv4", name: "theirs" })
        estrange(cluster, (name) => name === "theirs")
        yield* createEphemeral(cluster)
        yield* createService(cluster, "web")
        yield* Effect.sleep("20 seconds")
        assert.strictEqual(conditionOf(cluster, "CredentialsValid")?.status, "True")
        assert.lengthOf(shown(cluster, "web"), 1)
        assert.deepStrictEqual(yield* countedBy(controller), [1])
      })
    )
  })

  it("and is a Service's own stays with it, is told, and is not bought anew", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startServed()
        estrange(cluster, isBought)
        yield* Effect.sleep("5 minutes")
        assert.deepStrictEqual(shown(cluster, "web"), [ip])
        assert.include(messageOf(cluster, "web"), `${ip} of pool cloud is at the provider, and what is said of it`)
        assert.strictEqual(purchases(cluster), 1)
        cluster.project.faults.clear()
        yield* Effect.sleep("2 minutes")
        assert.notInclude(messageOf(cluster, "web"), "not understood")
        assert.deepStrictEqual(shown(cluster, "web"), [ip])
      })
    )
  })

  it("is neither deleted nor forgotten with its Service, and given back once it is understood", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* startServed()
        estrange(cluster, isBought)
        yield* Effect.sleep("2 minutes")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("20 minutes")
        assert.lengthOf(floatingIps(cluster), 1)
        assert.include(messageOf(cluster, "web"), "is not understood")
        cluster.project.faults.clear()
        yield* Effect.sleep("6 minutes")
        assert.deepStrictEqual(floatingIps(cluster), [])
        assert.isUndefined(allocation(cluster, "web"))
      })
    )
  })

  it("and was just bought is told, not bought again, and served once it is understood", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createEphemeral(cluster)
        yield* Effect.sleep("5 seconds")
        estrange(cluster, isBought)
        yield* createService(cluster, "web")
        yield* Effect.sleep("20 minutes")
        assert.strictEqual(purchases(cluster), 1)
        assert.include(messageOf(cluster, "web"), "is not understood")
        cluster.project.faults.clear()
        yield* Effect.sleep("6 minutes")
        assert.deepStrictEqual(
          shown(cluster, "web"),
          floatingIps(cluster).map(({ ip }) => ip)
        )
        assert.strictEqual(purchases(cluster), 1)
      })
    )
  })

  it("and whose Service went before it was understood is not forgotten", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createEphemeral(cluster)
        yield* Effect.sleep("5 seconds")
        estrange(cluster, isBought)
        yield* createService(cluster, "web")
        yield* Effect.sleep("1 minute")
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("1 minute")
        assert.isDefined(allocation(cluster, "web"))
        cluster.project.faults.clear()
        yield* Effect.sleep("6 minutes")
        assert.deepStrictEqual(floatingIps(cluster), [])
        assert.isUndefined(allocation(cluster, "web"))
      })
    )
  })

  it("counts among what its pool has bought", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        const own = cluster.memory.truth.get(namespaces, { name: "kube-system" })?.metadata.uid ?? ""
        const labels = { "managed-by": "plenuslb", cluster: own, claim: "gone", ownership: "created" }
        cluster.project.console.addFloatingIp({ type: "ipv4", name: "plenuslb-ephemeral-old", labels })
        estrange(cluster, isBought)
        yield* createEphemeral(cluster, "cloud", { maxAddresses: 1 })
        yield* createService(cluster, "web")
        yield* Effect.sleep("20 minutes")
        assert.include(messageOf(cluster, "web"), "spec.maxAddresses")
        assert.lengthOf(floatingIps(cluster), 1)
      })
    )
  })
})
