/** What somebody wrote that the schema of its kind lets through, and that no one can act upon: it costs itself, and nothing else. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { services } from "../../../src/api/Service.ts"
import { serviceAnnotations } from "../../../src/domain/Annotations.ts"
import { allocation, createPool, createService, run, shown, start, startServed } from "./Acting.ts"
import type { TestCluster } from "./TestCluster.ts"

const web = { namespace: "shop", name: "web" }

const annotated = (cluster: TestCluster, annotations: { readonly [key: string]: string }) =>
  cluster.api.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...web, annotations },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }] }
  })

const conditionOf = (cluster: TestCluster, name: string) =>
  cluster.memory.truth.get(services, { namespace: "shop", name })?.status?.conditions?.[0]

describe("a Service that asks for what cannot be", () => {
  it("is told so, however long the text is that it calls an address", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1")
        yield* annotated(cluster, { [serviceAnnotations.addresses]: "x".repeat(100_000) })
        yield* Effect.sleep("10 seconds")
        const told = allocation(cluster, "web")?.status
        assert.strictEqual(told?.state, "pending")
        assert.include(told?.message, "is not an IP address")
        assert.strictEqual(conditionOf(cluster, "web")?.["reason"], "MalformedAddress")
      })
    )
  })

  it("is told so, however many namespaces the pool lists", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        const allowedNamespaces = Array.from({ length: 1_000 }, (_, index) => `n${index}-${"x".repeat(50)}`)
        yield* createPool(cluster, "rack-1", { allowedNamespaces })
        yield* createService(cluster, "web", ["192.0.2.10"])
        yield* Effect.sleep("10 seconds")
        const message = allocation(cluster, "web")?.status?.message
        assert.include(message, "shop/web waits")
        assert.include(message, `"shop"`)
        assert.strictEqual(conditionOf(cluster, "web")?.["reason"], "NamespaceNotAllowed")
      })
    )
  })

  it("gets as many addresses as an IPAllocation holds, and is told of the others", () => {
    run(
      Effect.gen(function* () {
        const { cluster } = yield* start()
        yield* createPool(cluster, "rack-1", { addresses: ["10.1.0.0/16"] })
        const many = Array.from({ length: 300 }, (_, index) => `10.1.${index >> 8}.${index & 255}`)
        yield* createService(cluster, "web", many)
        yield* Effect.sleep("30 seconds")
        assert.deepStrictEqual(shown(cluster, "web"), many.slice(0, 200))
        assert.include(allocation(cluster, "web")?.status?.message, "asks for 300 addresses")
      })
    )
  })
})

describe("an IPAllocation that somebody edited", () => {
  it("loses what stands there twice", () => {
    run(
      Effect.gen(function* () {
        const cluster = yield* startServed
        const before = allocation(cluster, "web")?.spec.allocations ?? []
        yield* cluster.api.patch(ipAllocations, web, { spec: { allocations: [...before, ...before] } })
        yield* Effect.sleep("10 seconds")
        assert.lengthOf(allocation(cluster, "web")?.spec.allocations ?? [], 1)
        assert.lengthOf(shown(cluster, "web"), 1)
        assert.strictEqual(allocation(cluster, "web")?.status?.state, "success")
      })
    )
  })
})
