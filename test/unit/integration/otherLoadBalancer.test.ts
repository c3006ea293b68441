/** A Service of ours that carries the finalizer of Kubernetes' own service controller. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { events } from "../../../src/api/Event.ts"
import { services } from "../../../src/api/Service.ts"
import { createService, run, start } from "./CloudCluster.ts"
import type * as TestCluster from "./TestCluster.ts"

const finalizers = ["service.kubernetes.io/load-balancer-cleanup"]

const told = ({ memory }: TestCluster.TestCluster): ReadonlyArray<string> =>
  memory.truth
    .list(events)
    .filter(({ involvedObject: { name }, reason }) => reason === "OtherLoadBalancer" && name === "web")
    .map(({ message }) => message ?? "")

const put = ({ api }: TestCluster.TestCluster, all: ReadonlyArray<string>) =>
  api.patch(services, { namespace: "shop", name: "web" }, { metadata: { finalizers: all } })

describe("a Service on which another load balancer controller acts", () => {
  it("is told so once, whatever else is told of it, and again when it comes back", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createService(cluster, "web")
        yield* Effect.sleep("10 seconds")
        assert.lengthOf(told(cluster), 0)
        yield* put(cluster, finalizers)
        yield* Effect.sleep("10 seconds")
        assert.lengthOf(told(cluster), 1)
        assert.include(told(cluster)[0], "HCLOUD_LOAD_BALANCERS_ENABLED=false")
        for (const port of [81, 82]) {
          yield* cluster.api.patch(services, { namespace: "shop", name: "web" }, { spec: { ports: [{ port }] } })
          yield* Effect.sleep("10 seconds")
        }
        assert.lengthOf(told(cluster), 1)
        yield* put(cluster, [])
        yield* Effect.sleep("1 second")
        yield* put(cluster, finalizers)
        yield* Effect.sleep("10 seconds")
        assert.lengthOf(told(cluster), 2)
      })
    )
  })

  it.each<[string, string, number, string]>([
    [
      "is told that what was made for it stays, if it has our class",
      "loadbalancing.plenus.io/plenuslb",
      1,
      "left alone"
    ],
    ["is told nothing, if it has another's class", "example.com/other", 0, ""]
  ])("%s", (_, loadBalancerClass, count, words) => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createService(cluster, "web", { loadBalancerClass })
        yield* put(cluster, finalizers)
        yield* Effect.sleep("10 seconds")
        assert.lengthOf(told(cluster), count)
        assert.include(told(cluster).join(" "), words)
      })
    )
  })
})
