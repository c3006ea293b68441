/** What `plenuslb fence NODE` says and does, on the memory layers with the real programs. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { leases } from "../../../src/api/Lease.ts"
import { fenceRequested, nodeLeaseName } from "../../../src/api/Names.ts"
import { nodes } from "../../../src/api/Node.ts"
import * as FenceCommand from "../../../src/cli/FenceCommand.ts"
import { Kubernetes } from "../../../src/ports/Kubernetes.ts"
import * as TestCluster from "../integration/TestCluster.ts"
import { virtually } from "../virtually.ts"

const fence = ({ api }: TestCluster.TestCluster, node = "node-1", namespace = TestCluster.ownNamespace) =>
  Effect.provideService(FenceCommand.run(node, namespace), Kubernetes, api)

const requested = ({ memory }: TestCluster.TestCluster, name = "node-1") =>
  memory.truth.get(nodes, { name })?.metadata.annotations?.[fenceRequested]

const start = Effect.gen(function* () {
  const cluster = yield* TestCluster.make(["node-1", "node-2"])
  const operator = yield* cluster.startOperator("node-1")
  yield* Effect.sleep("5 seconds")
  return { cluster, operator }
})

const refusal = (cluster: TestCluster.TestCluster, node?: string, namespace?: string) =>
  Effect.map(Effect.flip(fence(cluster, node, namespace)), ({ message }) => message)

describe("plenuslb fence", () => {
  it("says of a silent node that it is off, for the version of its lease that stands there", () =>
    virtually(
      Effect.gen(function* () {
        const { cluster, operator } = yield* start
        yield* operator.kill
        yield* Effect.sleep("2 seconds")
        const said = yield* fence(cluster)
        const name = nodeLeaseName("node-1")
        const lease = cluster.memory.truth.get(leases, { namespace: TestCluster.ownNamespace, name })
        assert.strictEqual(requested(cluster), lease?.metadata.resourceVersion)
        assert.include(said, `lease version ${lease?.metadata.resourceVersion}`)
      })
    ))

  it("refuses a node that renews its lease, and says nothing of it", () =>
    virtually(
      Effect.gen(function* () {
        const { cluster } = yield* start
        assert.match(yield* refusal(cluster), /^Node node-1 has renewed its lease a moment ago/)
        assert.isUndefined(requested(cluster))
      })
    ))

  it("knows no node without a lease, and names the namespace in which it looked", () =>
    virtually(
      Effect.gen(function* () {
        const { cluster } = yield* start
        assert.match(yield* refusal(cluster, "node-2"), /^Node node-2 has no lease in namespace plenuslb/)
        assert.match(yield* refusal(cluster, "node-1", "shop"), /^Node node-1 has no lease in namespace shop/)
      })
    ))

  it("has nothing to do for a node that is fenced", () =>
    virtually(
      Effect.gen(function* () {
        const { cluster, operator } = yield* start
        yield* cluster.startController("controller-a")
        yield* Effect.sleep("10 seconds")
        yield* operator.kill
        yield* Effect.sleep("20 seconds")
        assert.match(yield* refusal(cluster), /is fenced already/)
      })
    ))
})
