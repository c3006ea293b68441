/** What `plenuslb move NAMESPACE/NAME NODE` says and does, on the memory layers with the real programs. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { nodes } from "../../../src/api/Node.ts"
import * as MoveCommand from "../../../src/cli/MoveCommand.ts"
import { Kubernetes } from "../../../src/ports/Kubernetes.ts"
import { allocation, carriers, createPool, createService, run, start, threeNodes } from "../integration/Acting.ts"
import type * as TestCluster from "../integration/TestCluster.ts"

const served = "192.0.2.10"

const move = ({ api }: TestCluster.TestCluster, asked: MoveCommand.Move) =>
  Effect.provideService(MoveCommand.run(asked), Kubernetes, api)

const refusal = (cluster: TestCluster.TestCluster, asked: MoveCommand.Move) =>
  Effect.map(Effect.flip(move(cluster, asked)), ({ message }) => message)

/** A Service that is served, by whom, and another node. */
const begin = Effect.gen(function* () {
  const { cluster, operators } = yield* start()
  yield* createPool(cluster, "rack-1")
  yield* createService(cluster, "web", [served, "192.0.2.11"])
  yield* Effect.sleep("5 seconds")
  const [holder = ""] = carriers(cluster, served)
  const other = threeNodes.find((node) => node !== holder) ?? ""
  return { cluster, operators, holder, other }
})

const epochs = (cluster: TestCluster.TestCluster) =>
  allocation(cluster, "web")?.spec.allocations.map(({ epoch }) => epoch)

describe("plenuslb move", () => {
  it("moves all addresses of a Service, and answers when they are served there", () => {
    run(
      Effect.gen(function* () {
        const { cluster, other } = yield* begin
        assert.strictEqual(
          yield* move(cluster, { service: "shop/web", node: other }),
          `${served}, 192.0.2.11 is served by ${other}.`
        )
        for (const address of [served, "192.0.2.11"]) assert.deepStrictEqual(carriers(cluster, address), [other])
      })
    )
  })

  it("moves one address alone", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* begin
        const before = carriers(cluster, "192.0.2.11")
        const target =
          threeNodes.find((node) => !before.includes(node) && !carriers(cluster, served).includes(node)) ?? ""
        yield* move(cluster, { service: "shop/web", node: target, address: served })
        assert.deepStrictEqual([carriers(cluster, served), carriers(cluster, "192.0.2.11")], [[target], before])
      })
    )
  })

  it("is done once: what moves later for another reason does not come back", () => {
    run(
      Effect.gen(function* () {
        const { cluster, operators, other } = yield* begin
        yield* move(cluster, { service: "shop/web", node: other, address: served })
        const index = threeNodes.indexOf(other)
        yield* operators[index]?.kill ?? Effect.die("no operator")
        yield* Effect.sleep("10 seconds")
        const moved = carriers(cluster, served).filter((node) => node !== other)
        assert.lengthOf(moved, 1)
        cluster.heal(`operator-${other}`)
        yield* cluster.startOperator(other)
        yield* Effect.sleep("20 seconds")
        assert.deepStrictEqual(carriers(cluster, served), moved)
      })
    )
  })

  it("moves nothing to a node that may not hold it, and says so", () => {
    run(
      Effect.gen(function* () {
        const { cluster, holder, other } = yield* begin
        const before = epochs(cluster)
        yield* cluster.api.patch(nodes, { name: other }, { spec: { unschedulable: true } })
        const asked = { service: "shop/web", node: other, address: served }
        assert.match(yield* refusal(cluster, asked), /^192\.0\.2\.10 has not moved to node-\d within 15 s/)
        assert.deepStrictEqual([carriers(cluster, served), epochs(cluster)], [[holder], before])
        yield* cluster.api.patch(nodes, { name: other }, { spec: { unschedulable: false } })
        yield* Effect.sleep("2 seconds")
        assert.deepStrictEqual(carriers(cluster, served), [other], "it is asked for until it is done")
      })
    )
  })

  it("refuses what there is not", () => {
    run(
      Effect.gen(function* () {
        const { cluster, holder } = yield* begin
        const said = (asked: MoveCommand.Move) => refusal(cluster, asked)
        assert.match(yield* said({ service: "web", node: holder }), /^"web" is no Service: write NAMESPACE\/NAME/)
        assert.match(yield* said({ service: "shop/none", node: holder }), /^Service shop\/none has no address/)
        assert.match(yield* said({ service: "shop/web", node: "node-9" }), /^There is no Node node-9/)
        assert.match(
          yield* said({ service: "shop/web", node: holder, address: "192.0.2.99" }),
          /^Service shop\/web has no address 192\.0\.2\.99 on a node/
        )
        assert.strictEqual(
          yield* move(cluster, { service: "shop/web", node: holder, address: served }),
          `${served} is on ${holder} already.`
        )
      })
    )
  })
})
