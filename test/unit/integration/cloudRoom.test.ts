/** A server can have twenty floating IPs: who has them gets no more, and nothing is bought that nobody could have. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  allocation,
  createEphemeral,
  createService,
  deleteService,
  floatingIps,
  holderOf,
  messageOf,
  routedTo,
  run,
  shown,
  start,
  startServed,
  threeNodes
} from "./CloudCluster.ts"
import type * as TestCluster from "./TestCluster.ts"

const max = 20
/** So many as these tests need. */
const roomy = { floatingIpsMax: 100 }

const serverOf = (cluster: TestCluster.TestCluster, node: string) =>
  cluster.project.truth.servers().find(({ name }) => name === node)?.id ?? 0

/** By other hands, as many as it can have but `free`. */
const fill = (cluster: TestCluster.TestCluster, node: string, free = 0) =>
  Array.from(
    { length: max - free },
    (_, index) =>
      cluster.project.console.addFloatingIp({
        type: "ipv4",
        name: `${node}-${index}`,
        server: serverOf(cluster, node)
      }).id
  )

const others = (holder: string | undefined) => threeNodes.filter((node) => node !== holder)

describe("a server that has as many floating IPs as it can", () => {
  it("gets none of a new Service, and one with room does", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start(roomy)
        fill(cluster, "node-1")
        fill(cluster, "node-2", 1)
        fill(cluster, "node-3")
        yield* createEphemeral(cluster)
        yield* createService(cluster, "web")
        yield* Effect.sleep("20 seconds")
        assert.deepStrictEqual(holderOf(cluster, "web"), ["node-2"])
        assert.lengthOf(shown(cluster, "web"), 1)
        yield* createService(cluster, "blog")
        yield* Effect.sleep("20 seconds")
        assert.include(messageOf(cluster, "blog"), "each server of a Node that could have an address has 20")
        assert.lengthOf(cluster.project.truth.purchases(), 2 * max - 1 + max + 1)
      })
    )
  })

  it("keeps what it has", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startServed({}, roomy)
        const holder = routedTo(cluster, ip) ?? ""
        fill(cluster, holder, 1)
        yield* Effect.sleep("2 minutes")
        assert.deepStrictEqual(holderOf(cluster, "web"), [holder])
        assert.strictEqual(routedTo(cluster, ip), holder)
      })
    )
  })

  it("takes nothing over from a node that dies", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip, operators } = yield* startServed({}, roomy)
        const holder = routedTo(cluster, ip) ?? ""
        const [full = "", free] = others(holder)
        fill(cluster, full)
        yield* Effect.sleep("65 seconds")
        yield* operators[threeNodes.indexOf(holder)]?.kill ?? Effect.void
        yield* Effect.sleep("30 seconds")
        assert.strictEqual(routedTo(cluster, ip), free)
      })
    )
  })

  it("is left by an address that others have crowded out of it", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startServed({}, roomy)
        const holder = routedTo(cluster, ip) ?? ""
        const id = floatingIps(cluster).find((each) => each.ip === ip)?.id ?? 0
        cluster.project.console.change(id, { server: null })
        fill(cluster, holder)
        yield* Effect.sleep("90 seconds")
        assert.include(others(holder), routedTo(cluster, ip))
        assert.strictEqual(allocation(cluster, "web")?.status?.state, "success")
      })
    )
  })
})

describe("while no server has room", () => {
  it("nothing is bought, it is said why, and what waits is bought when another Service goes", () => {
    run(
      Effect.gen(function* () {
        const { cluster, ip } = yield* startServed({}, roomy)
        const holder = routedTo(cluster, ip) ?? ""
        fill(cluster, holder, 1)
        for (const node of others(holder)) fill(cluster, node)
        yield* Effect.sleep("65 seconds")
        const before = cluster.project.requests().get("POST /floating_ips")
        yield* createService(cluster, "blog")
        yield* Effect.sleep("30 seconds")
        assert.include(messageOf(cluster, "blog"), "Add a node")
        assert.strictEqual(cluster.project.requests().get("POST /floating_ips"), before)
        yield* deleteService(cluster, "web")
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(holderOf(cluster, "blog"), [holder])
        assert.lengthOf(shown(cluster, "blog"), 1)
      })
    )
  })
})
