/** What the state of a server at the provider says about its node, and what it does not. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createEphemeral, createService, routedTo, run, shown, threeNodes } from "./CloudCluster.ts"
import * as TestCluster from "./TestCluster.ts"

const setServers = (cluster: TestCluster.TestCluster, status: "off" | "running") => {
  for (const { id } of cluster.project.truth.servers()) cluster.project.console.setServerStatus(id, status)
}

describe("a server that was off when the project was read", () => {
  it("gets the address as soon as its node renews its lease, which is younger than the list", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* TestCluster.make(threeNodes)
        setServers(cluster, "off")
        yield* createEphemeral(cluster)
        yield* cluster.startController("controller-a")
        yield* Effect.sleep("5 seconds")
        setServers(cluster, "running")
        yield* cluster.startOperator("node-2")
        yield* createService(cluster, "web")
        yield* Effect.sleep("15 seconds")
        const [ip = ""] = shown(cluster, "web")
        assert.strictEqual(routedTo(cluster, ip), "node-2")
      })
    )
  })
})
