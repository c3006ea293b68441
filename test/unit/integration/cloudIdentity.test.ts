/** Nodes that say nothing of their servers, and are not called like them: their machines know. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { leases } from "../../../src/api/Lease.ts"
import { nodeLeaseAnnotations, nodeLeaseName } from "../../../src/api/Names.ts"
import {
  conditionOf,
  createEphemeral,
  createService,
  floatingIps,
  holderOf,
  messageOf,
  run,
  shown,
  threeNodes
} from "./CloudCluster.ts"
import * as TestCluster from "./TestCluster.ts"

/** Servers with other names than the Nodes, in their order. */
const start = Effect.fnUntraced(function* (told: ReadonlyArray<string>) {
  const cluster = yield* TestCluster.make(threeNodes)
  for (const { id } of cluster.project.truth.servers()) cluster.project.console.deleteServer(id)
  for (const node of threeNodes) {
    const { id } = cluster.project.console.addServer({ name: `machine-of-${node}` })
    if (told.includes(node)) cluster.metadata.instanceIds.set(node, String(id))
  }
  yield* cluster.startController("controller-a")
  yield* Effect.forEach(threeNodes, (node) => cluster.startOperator(node))
  yield* Effect.sleep("10 seconds")
  return cluster
})

const saidBy = (cluster: TestCluster.TestCluster, node: string) =>
  cluster.memory.truth.get(leases, { namespace: TestCluster.ownNamespace, name: nodeLeaseName(node) })?.metadata
    .annotations?.[nodeLeaseAnnotations.instanceId]

describe("a machine that was told which server it is", () => {
  it("says so in its NodeLease, and gets addresses whatever its Node is called", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* start(["node-2"])
        yield* createEphemeral(cluster)
        yield* createService(cluster, "web")
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(holderOf(cluster, "web"), ["node-2"])
        assert.lengthOf(shown(cluster, "web"), 1)
        const server = cluster.project.truth.servers().find(({ name }) => name === "machine-of-node-2")?.id ?? 0
        assert.deepStrictEqual(
          floatingIps(cluster).map((each) => each.server),
          [server]
        )
        assert.deepStrictEqual(
          threeNodes.map((node) => saidBy(cluster, node)),
          [undefined, String(server), undefined]
        )
      })
    )
  })

  it("is asked only where a pool has addresses of a cloud, and no more once it has answered", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* start(["node-2"])
        yield* Effect.sleep("2 minutes")
        assert.deepStrictEqual(cluster.metadata.asked, [])
        yield* createEphemeral(cluster)
        yield* Effect.sleep("150 seconds")
        const times = threeNodes.map((node) => cluster.metadata.asked.filter((each) => each === node).length)
        assert.deepStrictEqual(times, [3, 1, 3])
      })
    )
  })

  it("is heard at once, where nothing was bought before for want of a server", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* start([])
        yield* createEphemeral(cluster)
        yield* createService(cluster, "web")
        yield* Effect.sleep("30 seconds")
        assert.strictEqual(conditionOf(cluster, "CredentialsValid")?.reason, "CloudProjectForeign")
        assert.include(messageOf(cluster, "web"), "no Node of this cluster is a server of the token's project")
        const [server] = cluster.project.truth.servers()
        cluster.metadata.instanceIds.set("node-1", String(server?.id))
        yield* Effect.sleep("75 seconds")
        assert.strictEqual(conditionOf(cluster, "CredentialsValid")?.status, "True")
        assert.lengthOf(shown(cluster, "web"), 1)
      })
    )
  })
})
