/** The real controller and operators on the memory layers, from a manifest to a served address and back. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { events } from "../../../src/api/Event.ts"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { nodes } from "../../../src/api/Node.ts"
import { persistentIPPools } from "../../../src/api/PersistentIPPool.ts"
import { services } from "../../../src/api/Service.ts"
import { allocation, carriers, createPool, createService, run, shown, start, threeNodes } from "./Acting.ts"
import * as TestCluster from "./TestCluster.ts"

const writesOf = (cluster: TestCluster.TestCluster, kinds: ReadonlyArray<string>): number =>
  [...cluster.memory.requests()]
    .filter(([request]) => {
      const [user, method = "", resource = ""] = request.split(" ")
      return user !== "user" && /create|replace|patch|apply|delete/.test(method) && kinds.includes(resource)
    })
    .reduce((sum, [, count]) => sum + count, 0)

const served = ["services", "services/status", "ipallocations", "ipallocations/status"]
const notLeases = (cluster: TestCluster.TestCluster) =>
  [...cluster.memory.requests()]
    .filter(([request]) => /(create|replace|patch|apply|delete) /.test(request) && !request.endsWith(" leases"))
    .map(([request, count]) => `${request}: ${count}`)

describe("a cluster in memory", () => {
  it("serves a Service after three writes and settles with one more", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* Effect.sleep("5 seconds")
        const before = notLeases(cluster)
        yield* createService(cluster, "web", ["192.0.2.10"])
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), ["192.0.2.10"])
        assert.lengthOf(carriers(cluster, "192.0.2.10"), 1)
        assert.strictEqual(allocation(cluster, "web")?.status?.state, "success")
        const [holder] = carriers(cluster, "192.0.2.10")
        const written = notLeases(cluster).filter((line) => !before.includes(line) && /services|ipalloc/.test(line))
        assert.deepStrictEqual(written, [
          "user create services: 1",
          "controller-a create ipallocations: 1",
          `operator-${holder} apply ipallocations/status: 1`,
          "controller-a patch services/status: 1",
          "controller-a apply ipallocations/status: 1"
        ])
      })
    )
  })

  it("takes everything back when the Service is deleted", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* createService(cluster, "web")
        yield* Effect.sleep("5 seconds")
        assert.lengthOf(carriers(cluster, "192.0.2.10"), 1)
        yield* cluster.api.delete(services, { namespace: "shop", name: "web" })
        yield* Effect.sleep("2 seconds")
        assert.deepStrictEqual(carriers(cluster, "192.0.2.10"), [])
        assert.isUndefined(allocation(cluster, "web"))
        yield* Effect.sleep("2 seconds")
        const pool = cluster.memory.truth.get(persistentIPPools, { name: "rack-1" })
        assert.strictEqual(pool?.status?.addressesAvailable, 3)
      })
    )
  })

  it("moves the address of a dead node after L, and changes no Service status meanwhile", () => {
    run(
      Effect.gen(function* () {
        const { cluster, operators } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* createService(cluster, "web")
        yield* Effect.sleep("12 seconds")
        const holder = carriers(cluster, "192.0.2.10")[0] ?? ""
        const shows = writesOf(cluster, ["services/status"])
        yield* operators[threeNodes.indexOf(holder)]?.kill ?? Effect.die("no holder")
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(carriers(cluster, "192.0.2.10"), [holder])
        yield* Effect.sleep("3 seconds")
        // The dead node's kernel still carries it; the fence that ends this is held by the kernel, and not here yet.
        const others = carriers(cluster, "192.0.2.10").filter((node) => node !== holder)
        assert.lengthOf(others, 1)
        assert.strictEqual(allocation(cluster, "web")?.spec.allocations[0]?.nodeName, others[0])
        assert.deepStrictEqual(shown(cluster, "web"), ["192.0.2.10"])
        assert.strictEqual(writesOf(cluster, ["services/status"]), shows)
      })
    )
  })

  it("drops the address on a node that was fenced while it was cut off, once it is back", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* createService(cluster, "web")
        yield* Effect.sleep("5 seconds")
        const [holder = ""] = carriers(cluster, "192.0.2.10")
        cluster.cutOff(`operator-${holder}`)
        yield* Effect.sleep("15 seconds")
        assert.lengthOf(carriers(cluster, "192.0.2.10"), 2)
        cluster.heal(`operator-${holder}`)
        yield* Effect.sleep("15 seconds")
        const [next = ""] = carriers(cluster, "192.0.2.10")
        assert.lengthOf(carriers(cluster, "192.0.2.10"), 1)
        assert.notStrictEqual(next, holder)
      })
    )
  })

  it("leaves a node that is excluded as soon as another one may hold the address", () => {
    const exclude = "node.kubernetes.io/exclude-from-external-load-balancers"
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* createService(cluster, "web")
        yield* Effect.sleep("5 seconds")
        const [holder = ""] = carriers(cluster, "192.0.2.10")
        const others = threeNodes.filter((node) => node !== holder)
        for (const name of [...others, holder]) {
          yield* cluster.api.patch(nodes, { name }, { metadata: { labels: { [exclude]: "" } } })
        }
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(carriers(cluster, "192.0.2.10"), [holder], "served badly is better than not served")
        const [next = ""] = others
        yield* cluster.api.patch(nodes, { name: next }, { metadata: { labels: { [exclude]: null } } })
        yield* Effect.sleep("1 second")
        assert.deepStrictEqual(carriers(cluster, "192.0.2.10"), [next])
      })
    )
  })

  it("leaves the address in place when an operator is restarted, and goes on managing it", () => {
    run(
      Effect.gen(function* () {
        const { cluster, operators } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* createService(cluster, "web")
        yield* Effect.sleep("12 seconds")
        const [holder = ""] = carriers(cluster, "192.0.2.10")
        const writes = writesOf(cluster, served)
        yield* operators[threeNodes.indexOf(holder)]?.stop ?? Effect.die("no holder")
        assert.deepStrictEqual(carriers(cluster, "192.0.2.10"), [holder])
        yield* Effect.sleep("2 seconds")
        yield* cluster.startOperator(holder, "second")
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(carriers(cluster, "192.0.2.10"), [holder])
        assert.strictEqual(writesOf(cluster, served), writes)
        cluster.kernel(holder).foreignDelete("pl0", TestCluster.address("192.0.2.10"))
        yield* Effect.sleep("100 millis")
        assert.deepStrictEqual(carriers(cluster, "192.0.2.10"), [holder])
        assert.strictEqual(writesOf(cluster, served), writes)
      })
    )
  })

  it("serves on with two controllers of which the leader dies", () => {
    run(
      Effect.gen(function* () {
        const { cluster, controller } = yield* start()
        const standby = yield* cluster.startController("controller-b")
        yield* createPool(cluster, "rack-1")
        yield* Effect.sleep("5 seconds")
        assert.isFalse(yield* standby.isLeader)
        yield* controller.kill
        yield* createService(cluster, "web")
        yield* Effect.sleep("5 seconds")
        assert.isTrue(yield* standby.isLeader)
        assert.deepStrictEqual(shown(cluster, "web"), ["192.0.2.10"])
      })
    )
  })

  it("writes nothing but leases in ten quiet minutes", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* cluster.startController("controller-b")
        yield* createPool(cluster, "rack-1")
        yield* createService(cluster, "web")
        yield* createService(cluster, "api")
        yield* createService(cluster, "hopeless", ["203.0.113.1"])
        yield* Effect.sleep("30 seconds")
        const before = notLeases(cluster)
        yield* Effect.sleep("10 minutes")
        assert.deepStrictEqual(notLeases(cluster), before)
      })
    )
  })

  it("keeps a pool that is deleted under a Service until its addresses are released", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* createService(cluster, "web")
        yield* Effect.sleep("5 seconds")
        yield* cluster.api.delete(persistentIPPools, { name: "rack-1" })
        yield* createService(cluster, "late")
        yield* Effect.sleep("10 seconds")
        assert.isDefined(cluster.memory.truth.get(persistentIPPools, { name: "rack-1" }))
        assert.deepStrictEqual(shown(cluster, "web"), ["192.0.2.10"])
        assert.deepStrictEqual(shown(cluster, "late"), [])
        yield* cluster.api.delete(services, { namespace: "shop", name: "web" })
        yield* Effect.sleep("5 seconds")
        assert.isUndefined(cluster.memory.truth.get(persistentIPPools, { name: "rack-1" }))
      })
    )
  })

  it("grants an address that two ask for to one, and to the other when the first is gone", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* createService(cluster, "first", ["192.0.2.11"])
        yield* Effect.sleep("5 seconds")
        yield* createService(cluster, "second", ["192.0.2.11"])
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(shown(cluster, "second"), [])
        assert.include(allocation(cluster, "second")?.status?.message ?? "", "192.0.2.11 is held by Service shop/first")
        yield* cluster.api.delete(services, { namespace: "shop", name: "first" })
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(shown(cluster, "second"), ["192.0.2.11"])
        assert.lengthOf(carriers(cluster, "192.0.2.11"), 1)
      })
    )
  })

  it("refuses a namespace that the pool does not allow, and serves it once it does", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1", { allowedNamespaces: ["elsewhere"] })
        yield* createService(cluster, "web", ["192.0.2.10"])
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), [])
        assert.include(allocation(cluster, "web")?.status?.message ?? "", "only for the namespace elsewhere")
        yield* cluster.api.patch(persistentIPPools, { name: "rack-1" }, { spec: { allowedNamespaces: ["shop"] } })
        yield* Effect.sleep("2 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), ["192.0.2.10"])
      })
    )
  })

  it("does not grant an address again before the node that served it has let go or is fenced (S14)", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* createService(cluster, "web", ["192.0.2.10"])
        yield* Effect.sleep("5 seconds")
        const [holder = ""] = carriers(cluster, "192.0.2.10")
        cluster.cutOff(`operator-${holder}`)
        yield* cluster.api.patch(
          services,
          { namespace: "shop", name: "web" },
          { spec: { externalIPs: ["192.0.2.11"] } }
        )
        yield* createService(cluster, "next", ["192.0.2.10"])
        yield* Effect.sleep("3 seconds")
        assert.deepStrictEqual(allocation(cluster, "next")?.spec.allocations, [])
        yield* Effect.sleep("12 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), ["192.0.2.11"])
        assert.deepStrictEqual(shown(cluster, "next"), ["192.0.2.10"])
        assert.deepStrictEqual(
          allocation(cluster, "web")?.spec.allocations.map(({ address }) => address),
          ["192.0.2.11"]
        )
        cluster.heal(`operator-${holder}`)
        yield* Effect.sleep("15 seconds")
        assert.lengthOf(carriers(cluster, "192.0.2.10"), 1)
      })
    )
  })

  it("lets one of two allocations go that were granted one address, and keeps it for the other (S2)", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* TestCluster.make(threeNodes)
        yield* createPool(cluster, "rack-1")
        for (const name of ["second", "first"]) {
          const { metadata } = yield* createService(cluster, name, ["192.0.2.10"])
          yield* cluster.api.create(ipAllocations, {
            apiVersion: "loadbalancing.plenus.io/v1alpha1",
            kind: "IPAllocation",
            metadata: {
              name,
              namespace: "shop",
              ownerReferences: [{ apiVersion: "v1", kind: "Service", name, uid: metadata.uid ?? "" }]
            },
            spec: {
              type: "persistent",
              allocations: [{ address: "192.0.2.10", pool: "rack-1", networkInterface: "pl0" }]
            }
          })
        }
        yield* cluster.startController("controller-a")
        yield* Effect.forEach(threeNodes, (node) => cluster.startOperator(node))
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual([shown(cluster, "first"), shown(cluster, "second")], [["192.0.2.10"], []])
        assert.lengthOf(carriers(cluster, "192.0.2.10"), 1)
        assert.include(allocation(cluster, "second")?.status?.message ?? "", "held by Service shop/first")
        yield* cluster.api.delete(services, { namespace: "shop", name: "first" })
        yield* Effect.sleep("5 seconds")
        assert.deepStrictEqual(shown(cluster, "second"), ["192.0.2.10"])
      })
    )
  })

  it.each([
    ["pool", "persistentippools/rack-1"],
    ["IPAllocation", "ipallocations/shop/web"],
    ["Service", "services/shop/web"],
    ["Node", "nodes/node-1"]
  ])("leaves everything as it is while it cannot read a %s, tells so once, and serves the others (S13)", (_, key) => {
    run(
      Effect.gen(function* () {
        const { cluster, controller } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* createPool(cluster, "rack-2", { addresses: ["192.0.2.20"], priority: 200 })
        yield* createService(cluster, "web")
        yield* Effect.sleep("8 seconds")
        const held = carriers(cluster, "192.0.2.10")
        const before = allocation(cluster, "web")?.spec
        yield* controller.stop
        cluster.unreadable.add(key)
        yield* cluster.startController("controller-b")
        yield* Effect.sleep("5 seconds")
        yield* createService(cluster, "other", ["192.0.2.20"])
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(allocation(cluster, "web")?.spec, before)
        assert.deepStrictEqual(carriers(cluster, "192.0.2.10"), held)
        assert.deepStrictEqual(shown(cluster, "other"), ["192.0.2.20"])
        const told = cluster.memory.truth.list(events).filter(({ reason }) => reason === "Unreadable")
        assert.lengthOf(told, 1)
        assert.include(told[0]?.message ?? "", "spec.newer")
      })
    )
  })

  it("grants an address to nobody else while the IPAllocation that claims it cannot be read, and heals", () => {
    run(
      Effect.gen(function* () {
        const { cluster, controller } = yield* start()
        yield* createPool(cluster, "rack-1", { addresses: ["192.0.2.10"] })
        yield* createService(cluster, "web")
        yield* Effect.sleep("8 seconds")
        yield* controller.stop
        cluster.unreadable.add("ipallocations/shop/web")
        yield* cluster.startController("controller-b")
        yield* createService(cluster, "thief", ["192.0.2.10"])
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(shown(cluster, "thief"), [])
        cluster.unreadable.clear()
        yield* cluster.api.delete(services, { namespace: "shop", name: "web" })
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(shown(cluster, "thief"), ["192.0.2.10"])
      })
    )
  })

  it("fills a pool that runs dry one by one as addresses are released", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1")
        const names = Array.from({ length: 8 }, (_, index) => `web-${index}`)
        for (const name of names) yield* createService(cluster, name)
        yield* Effect.sleep("5 seconds")
        const servedNow = () => names.filter((name) => shown(cluster, name).length > 0)
        for (let round = 0; round < 5; round++) {
          assert.lengthOf(servedNow(), 3)
          const [first = ""] = servedNow()
          names.splice(names.indexOf(first), 1)
          yield* cluster.api.delete(services, { namespace: "shop", name: first })
          yield* Effect.sleep("3 seconds")
        }
        assert.lengthOf(servedNow(), 3)
      })
    )
  })
})
