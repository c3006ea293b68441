/** The status subresource. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { configMaps } from "../../../../src/api/ConfigMap.ts"
import { type IPAllocation, ipAllocations } from "../../../../src/api/IPAllocation.ts"
import { services } from "../../../../src/api/Service.ts"
import { Kubernetes } from "../../../../src/ports/Kubernetes.ts"
import { type Case, given, newNamespace, refused, versionOf } from "../Case.ts"
import { allocation, applyAllocation, createAllocation, createConfigMap, loadBalancer } from "../Objects.ts"

const pending: IPAllocation["status"] = { state: "pending" }
const status = { subresource: "status" } as const

export const statusCases: ReadonlyArray<Case> = [
  given(
    "a create drops the status",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* kubernetes.create(ipAllocations, { ...allocation(namespace, "a"), status: pending })
      assert.isUndefined(created.status)
    })
  ),
  given(
    "a write to the object leaves its status as it is",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      yield* createAllocation(namespace, "a")
      yield* kubernetes.patch(ipAllocations, ref, { status: { state: "pending" } }, status)
      const patched = yield* kubernetes.patch(ipAllocations, ref, {
        spec: { nodeList: "n1" },
        status: { state: "error" }
      })
      assert.strictEqual(patched.spec.nodeList, "n1")
      assert.deepStrictEqual(patched.status, pending)
      const replaced = yield* kubernetes.replace(ipAllocations, { ...patched, status: { state: "error" } })
      assert.deepStrictEqual(replaced.status, pending)
    })
  ),
  given(
    "a write of nothing but the status to the object keeps the version",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* createAllocation(namespace, "a")
      const patch = { status: { state: "error" } }
      const patched = yield* kubernetes.patch(ipAllocations, { namespace, name: "a" }, patch)
      assert.strictEqual(versionOf(patched), versionOf(created))
    })
  ),
  given(
    "a write to the status of a custom resource changes neither spec nor metadata",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* createAllocation(namespace, "a")
      const everything = {
        metadata: { labels: { a: "b" }, annotations: { c: "d" }, finalizers: ["example.com/held"] },
        spec: { nodeList: "n9" },
        status: { state: "pending" }
      }
      const patched = yield* kubernetes.patch(ipAllocations, { namespace, name: "a" }, everything, status)
      assert.deepStrictEqual(patched.spec, created.spec)
      assert.deepStrictEqual({ ...patched.metadata, resourceVersion: "" }, { ...created.metadata, resourceVersion: "" })
      assert.deepStrictEqual(patched.status, pending)
    })
  ),
  given(
    "a write to the status of a Service changes its metadata too, but not its spec",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* kubernetes.create(services, loadBalancer(namespace, "a"))
      const everything = {
        metadata: { annotations: { c: "d" } },
        spec: { selector: { app: "other" } },
        status: { loadBalancer: { ingress: [{ ip: "192.0.2.10" }] } }
      }
      const patched = yield* kubernetes.patch(services, { namespace, name: "a" }, everything, status)
      assert.deepStrictEqual(patched.metadata.annotations, { c: "d" })
      assert.deepStrictEqual(patched.spec.selector, { app: "web" })
    })
  ),
  given(
    "the status is compared-and-set like the rest",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      const created = yield* createAllocation(namespace, "a")
      yield* kubernetes.patch(ipAllocations, ref, { spec: { nodeList: "n1" } })
      const stale = { metadata: { resourceVersion: versionOf(created) }, status: { state: "error" } }
      yield* refused("Conflict", kubernetes.patch(ipAllocations, ref, stale, status))
    })
  ),
  given(
    "the status of an absent object is NotFound, patched or applied",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "absent" }
      yield* refused("NotFound", kubernetes.patch(ipAllocations, ref, { status: { state: "error" } }, status))
      yield* refused("NotFound", applyAllocation(namespace, "absent", "one", { status: { state: "error" } }, status))
    })
  ),
  given(
    "a kind without a status subresource has none to write",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* createConfigMap(namespace, "a")
      yield* refused("NotFound", kubernetes.patch(configMaps, { namespace, name: "a" }, { data: { a: "b" } }, status))
    })
  ),
  given(
    "a status that the schema refuses is Invalid",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* createAllocation(namespace, "a")
      const patch = { status: { state: "splendid" } }
      yield* refused("Invalid", kubernetes.patch(ipAllocations, { namespace, name: "a" }, patch, status))
    })
  )
]
