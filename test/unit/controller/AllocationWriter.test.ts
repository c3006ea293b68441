import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ipAllocations } from "../../../src/api/IPAllocation.ts"
import { apiVersion, finalizer, nodeLabel } from "../../../src/api/Names.ts"
import { type Service, services } from "../../../src/api/Service.ts"
import * as AllocationWriter from "../../../src/controller/AllocationWriter.ts"
import * as ServiceCondition from "../../../src/controller/ServiceCondition.ts"
import { Kubernetes } from "../../../src/ports/Kubernetes.ts"
import type { KubernetesError } from "../../../src/ports/Kubernetes.ts"
import * as TestCluster from "../integration/TestCluster.ts"
import { virtually } from "../virtually.ts"

/** A Service as a controller read it, which its owner has made ClusterIP since. */
const start = Effect.gen(function* () {
  const { api } = yield* TestCluster.make([])
  const read = yield* api.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "shop" },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }] }
  })
  yield* api.patch(services, { name: "web", namespace: "shop" }, { spec: { type: "ClusterIP" } })
  return { api, read }
})

/** Why a write into the Service that was read is refused. */
const refusalOf = <A>(write: (read: Service) => Effect.Effect<A, KubernetesError, Kubernetes>): string =>
  virtually(
    Effect.gen(function* () {
      const { api, read } = yield* start
      const error = yield* write(read).pipe(Effect.provideService(Kubernetes, api), Effect.flip)
      return error.reason._tag
    })
  )

describe("what is written into a Service", () => {
  const finding = { status: "False", reason: "NoPoolFits", message: "no pool fits" } as const
  const address = TestCluster.address("192.0.2.10")

  it("goes only on the Service as it was read: addresses", () => {
    assert.strictEqual(
      refusalOf((read) => AllocationWriter.show(read, [address])),
      "Conflict"
    )
  })

  it("goes only on the Service as it was read: the condition", () => {
    assert.strictEqual(
      refusalOf((read) => ServiceCondition.write(read, finding)),
      "Conflict"
    )
  })
})

describe("what is deleted", () => {
  const ref = { name: "web", namespace: "shop" }
  const manifest = {
    apiVersion,
    kind: "IPAllocation",
    metadata: ref,
    spec: { type: "persistent" as const, allocations: [] }
  }

  it("waits for its holders although somebody took our finalizer off: it is put there first", () => {
    const left = virtually(
      Effect.gen(function* () {
        const { api, memory } = yield* TestCluster.make([])
        const read = yield* api.create(ipAllocations, manifest)
        yield* AllocationWriter.remove(read, () => false).pipe(Effect.provideService(Kubernetes, api))
        return memory.truth.get(ipAllocations, ref)?.metadata
      })
    )
    assert.deepStrictEqual(left?.finalizers, [finalizer])
    assert.isDefined(left?.deletionTimestamp)
  })

  it("can be found by its holders although somebody took our labels off", () => {
    const address = TestCluster.address("192.0.2.10")
    const entry = { address, pool: "rack-1", nodeName: "node-1", networkInterface: "pl0", holdId: "1.aa", epoch: 1 }
    const left = virtually(
      Effect.gen(function* () {
        const { api, memory } = yield* TestCluster.make([])
        const metadata = { ...ref, finalizers: [finalizer] }
        const spec = { type: "persistent" as const, allocations: [entry] }
        const read = yield* api.create(ipAllocations, { ...manifest, metadata, spec })
        yield* AllocationWriter.remove(read, () => false).pipe(Effect.provideService(Kubernetes, api))
        return memory.truth.get(ipAllocations, ref)?.metadata
      })
    )
    assert.include(Object.keys(left?.labels ?? {}), nodeLabel("node-1"))
    assert.isDefined(left?.deletionTimestamp)
  })

  it("is what was read: nobody can take the finalizer off in between", () => {
    const tag = virtually(
      Effect.gen(function* () {
        const { api } = yield* TestCluster.make([])
        const metadata = { ...ref, finalizers: [finalizer] }
        const read = yield* api.create(ipAllocations, { ...manifest, metadata })
        yield* api.patch(ipAllocations, ref, { metadata: { finalizers: [] } })
        const error = yield* AllocationWriter.remove(read, () => false).pipe(
          Effect.provideService(Kubernetes, api),
          Effect.flip
        )
        return error.reason._tag
      })
    )
    assert.strictEqual(tag, "Conflict")
  })
})

describe("an IPAllocation that somebody gave another owner", () => {
  it("has one controller, since the API server refuses two in every write", () => {
    virtually(
      Effect.gen(function* () {
        const { api } = yield* TestCluster.make([])
        const metadata = { name: "web", namespace: "shop" }
        const spec = { type: "LoadBalancer", ports: [{ port: 80 }] }
        const service = yield* api.create(services, { apiVersion: "v1", kind: "Service", metadata, spec })
        const other = { apiVersion: "example.com/v1", kind: "Stack", name: "shop", uid: "7", controller: true }
        const allocation = yield* api.create(ipAllocations, {
          apiVersion,
          kind: "IPAllocation",
          metadata: { ...metadata, ownerReferences: [other] },
          spec: { type: "persistent", allocations: [] }
        })
        const content = { type: "persistent", entries: [], intents: [] } as const
        const written = yield* AllocationWriter.assign(service, allocation, content, () => false).pipe(
          Effect.provideService(Kubernetes, api)
        )
        const owners = written.metadata.ownerReferences ?? []
        assert.deepStrictEqual(
          owners.map(({ controller, kind }) => [kind, controller]),
          [
            ["Stack", true],
            ["Service", false]
          ]
        )
      })
    )
  })
})
