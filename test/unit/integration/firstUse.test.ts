/** An address that a machine has which is none of the cluster's: found out before it is used, told, and left alone. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { serviceConditionType } from "../../../src/api/Names.ts"
import { nodes } from "../../../src/api/Node.ts"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { services } from "../../../src/api/Service.ts"
import { allocation, carriers, createPool, createService, run, shown, start, threeNodes } from "./Acting.ts"
import type * as TestCluster from "./TestCluster.ts"

const printer = "02:00:00:00:00:99"
const secondNode = "02:00:00:00:01:02"

/** A cluster with a pool, and a machine that has an address of it. */
const startBeside = Effect.fnUntraced(function* (mac: string, address: string) {
  const { cluster } = yield* start()
  yield* createPool(cluster, "rack-1")
  cluster.foreign.set(address, mac)
  return cluster
})

const conditionOf = (cluster: TestCluster.TestCluster, name: string) =>
  cluster.memory.truth
    .get(services, { namespace: "shop", name })
    ?.status?.conditions?.find(({ type }) => type === serviceConditionType)

const announcedCount = (cluster: TestCluster.TestCluster, address: string): number =>
  threeNodes.flatMap((node) => cluster.kernel(node).announcements()).filter((each) => each.address === address).length

const probesOf = (cluster: TestCluster.TestCluster, node: string): number =>
  cluster.kernel(node).calls().get("probe") ?? 0

describe("an address that a foreign machine has", () => {
  it("is not used, which the Service is told with its hardware address, and is once the machine has gone", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startBeside(printer, "192.0.2.11")
        yield* createService(cluster, "web", ["192.0.2.11"])
        yield* Effect.sleep("60 seconds")
        const { message = "", reason, status } = conditionOf(cluster, "web") ?? {}
        assert.deepStrictEqual([status, reason], ["False", "AddressInUse"])
        assert.include(message, printer)
        assert.strictEqual(allocation(cluster, "web")?.status?.message, message)
        assert.deepStrictEqual(shown(cluster, "web"), [])
        assert.deepStrictEqual([carriers(cluster, "192.0.2.11"), announcedCount(cluster, "192.0.2.11")], [[], 0])
        cluster.foreign.delete("192.0.2.11")
        yield* Effect.sleep("12 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), ["192.0.2.11"])
        assert.strictEqual(conditionOf(cluster, "web")?.status, "True")
      })
    )
  })

  it("is used all the same once its pool says not to ask, as where a router answers for every address", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startBeside(printer, "192.0.2.11")
        yield* createService(cluster, "web", ["192.0.2.11"])
        yield* Effect.sleep("5 seconds")
        assert.strictEqual(conditionOf(cluster, "web")?.reason, "AddressInUse")
        const options = { hostNetworkInterface: { addressConflictDetection: false } }
        yield* cluster.api.patch(persistentIPPools, { name: "rack-1" }, { spec: { options } })
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), ["192.0.2.11"])
        assert.strictEqual(conditionOf(cluster, "web")?.status, "True")
      })
    )
  })

  it("is replaced as soon as there is a pool with another", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1", { addresses: ["192.0.2.11"] })
        cluster.foreign.set("192.0.2.11", printer)
        yield* createService(cluster, "web")
        yield* Effect.sleep("60 seconds")
        assert.strictEqual(conditionOf(cluster, "web")?.reason, "AddressInUse")
        yield* createPool(cluster, "rack-2", { addresses: ["192.0.2.21"] })
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), ["192.0.2.21"])
      })
    )
  })

  it("is not used by another node either, when the first must hand over", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startBeside(printer, "192.0.2.11")
        yield* createService(cluster, "web", ["192.0.2.11"])
        yield* Effect.sleep("5 seconds")
        const node = allocation(cluster, "web")?.spec.allocations[0]?.nodeName ?? ""
        yield* cluster.api.patch(
          nodes,
          { name: node },
          {
            metadata: { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } }
          }
        )
        yield* Effect.sleep("10 seconds")
        assert.notStrictEqual(allocation(cluster, "web")?.spec.allocations[0]?.nodeName, node)
        assert.deepStrictEqual([carriers(cluster, "192.0.2.11"), announcedCount(cluster, "192.0.2.11")], [[], 0])
        assert.strictEqual(conditionOf(cluster, "web")?.reason, "AddressInUse")
      })
    )
  })

  it("is replaced where any would do, and given to nobody else as long as there are others", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startBeside(printer, "192.0.2.10")
        yield* createService(cluster, "web")
        yield* Effect.sleep("3 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), ["192.0.2.11"])
        assert.strictEqual(conditionOf(cluster, "web")?.status, "True", "it was told, and has one now")
        yield* createService(cluster, "api")
        yield* Effect.sleep("3 seconds")
        assert.deepStrictEqual(shown(cluster, "api"), ["192.0.2.12"])
        assert.isUndefined(conditionOf(cluster, "api"), "it never lacked anything")
        yield* createService(cluster, "last")
        yield* Effect.sleep("3 seconds")
        assert.strictEqual(conditionOf(cluster, "last")?.reason, "AddressInUse")
        yield* cluster.api.delete(services, { namespace: "shop", name: "api" })
        yield* Effect.sleep("3 seconds")
        assert.deepStrictEqual(shown(cluster, "last"), ["192.0.2.12"])
      })
    )
  })

  it("is asked for every ten seconds, and nothing is written while the answer is the same", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startBeside(printer, "192.0.2.11")
        yield* createService(cluster, "web", ["192.0.2.11"])
        yield* Effect.sleep("30 seconds")
        const before = allocation(cluster, "web")?.metadata.resourceVersion
        const count = () => threeNodes.reduce((sum, node) => sum + probesOf(cluster, node), 0)
        const asked = count()
        yield* Effect.sleep("100 seconds")
        assert.strictEqual(count() - asked, 10)
        assert.strictEqual(allocation(cluster, "web")?.metadata.resourceVersion, before)
      })
    )
  })
})

describe("an address for which a node of the cluster answers", () => {
  it("is used: who has just let go of it, or by another interface answers for it, is nobody foreign", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startBeside(secondNode, "192.0.2.11")
        yield* createService(cluster, "web", ["192.0.2.11"])
        yield* Effect.sleep("2 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), ["192.0.2.11"])
      })
    )
  })
})

describe("an address that was served", () => {
  it("is taken over without asking, also while a foreign machine claims it", () => {
    run(
      Effect.gen(function* () {
        const { cluster, operators } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* createService(cluster, "web")
        yield* Effect.sleep("3 seconds")
        const [first = ""] = carriers(cluster, "192.0.2.10")
        cluster.foreign.set("192.0.2.10", printer)
        yield* operators[threeNodes.indexOf(first)]?.kill ?? Effect.void
        yield* Effect.sleep("10 seconds")
        const next = carriers(cluster, "192.0.2.10").filter((node) => node !== first)
        assert.strictEqual(next.length, 1)
        assert.strictEqual(probesOf(cluster, next[0] ?? ""), 0)
      })
    )
  })

  it("is asked for again once it was given back, also by a leader that has not heard of it (seed 723 of the simulation)", () => {
    run(
      Effect.gen(function* () {
        const { cluster, controller } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* createService(cluster, "web", ["192.0.2.10"])
        yield* cluster.startController("controller-b")
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), ["192.0.2.10"])
        cluster.memory.watches.silence(({ plural, user }) => plural === "services" && user === "controller-b")
        const toType = (type: string) =>
          cluster.api.patch(services, { namespace: "shop", name: "web" }, { spec: { type } })
        yield* toType("ClusterIP")
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual([shown(cluster, "web"), carriers(cluster, "192.0.2.10")], [[], []])
        const announced = announcedCount(cluster, "192.0.2.10")
        cluster.foreign.set("192.0.2.10", printer)
        yield* controller.kill
        yield* toType("LoadBalancer")
        yield* Effect.sleep("60 seconds")
        assert.strictEqual(conditionOf(cluster, "web")?.reason, "AddressInUse")
        assert.deepStrictEqual(carriers(cluster, "192.0.2.10"), [])
        assert.strictEqual(announcedCount(cluster, "192.0.2.10"), announced)
      })
    )
  })
})
