/** What a change costs that each node of a cluster makes by itself, one after the other. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { configMaps } from "../../../src/api/ConfigMap.ts"
import { nodeConfigMapName } from "../../../src/api/Names.ts"
import * as NodeConfig from "../../../src/api/NodeConfig.ts"
import { createPool, run } from "./Acting.ts"
import * as TestCluster from "./TestCluster.ts"

const nodeNames = Array.from({ length: 8 }, (_, index) => `node-${index + 1}`)

describe("operators that start shortly after each other", () => {
  it("are told of each other in a few writes, since each of them hears of every write", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* TestCluster.make(nodeNames)
        yield* cluster.startController("controller-a")
        yield* createPool(cluster, "rack-1")
        yield* Effect.sleep("5 seconds")
        const count = () => cluster.memory.requests().get("controller-a apply configmaps") ?? 0
        const before = count()
        for (const node of nodeNames) {
          yield* Effect.forkChild(cluster.startOperator(node))
          yield* Effect.sleep("20 millis")
        }
        yield* Effect.sleep("5 seconds")
        assert.isAtMost(count() - before, 5)
        const ref = { namespace: TestCluster.ownNamespace, name: nodeConfigMapName }
        const told = cluster.memory.truth.get(configMaps, ref) ?? assert.fail("operators are told nothing")
        assert.lengthOf(Result.getOrThrow(NodeConfig.read(told)).members ?? [], nodeNames.length)
      })
    )
  })
})
