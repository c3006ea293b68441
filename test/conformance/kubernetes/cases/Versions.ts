/** resourceVersion, generation, and compare-and-set. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { configMaps } from "../../../../src/api/ConfigMap.ts"
import { ipAllocations } from "../../../../src/api/IPAllocation.ts"
import type { KubernetesObject } from "../../../../src/api/KubernetesObject.ts"
import { leases } from "../../../../src/api/Lease.ts"
import { Kubernetes } from "../../../../src/ports/Kubernetes.ts"
import { type Case, given, invalid, newNamespace, refused, versionOf } from "../Case.ts"
import { createAllocation, createConfigMap, lease, rawConfigMaps } from "../Objects.ts"

const guardedPatch = (read: KubernetesObject) => ({
  metadata: { resourceVersion: versionOf(read) },
  data: { key: "3" }
})

const generation = ({ metadata }: KubernetesObject): number | undefined => metadata.generation

export const versionCases: ReadonlyArray<Case> = [
  given(
    "every write has a version that is higher than all before, of whatever kind",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const first = yield* createConfigMap(namespace, "a")
      const second = yield* createAllocation(namespace, "a")
      const third = yield* kubernetes.patch(configMaps, { namespace, name: "a" }, { data: { key: "value" } })
      assert.isBelow(Number(versionOf(first)), Number(versionOf(second)))
      assert.isBelow(Number(versionOf(second)), Number(versionOf(third)))
    })
  ),
  given(
    "a replace of what was read succeeds, and answers with what is stored",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* kubernetes.create(leases, lease(namespace, "a", "first"))
      const replaced = yield* kubernetes.replace(leases, {
        ...lease(namespace, "a", "second"),
        metadata: created.metadata
      })
      assert.strictEqual(replaced.spec?.holderIdentity, "second")
      assert.deepStrictEqual(yield* kubernetes.get(leases, { namespace, name: "a" }), replaced)
    })
  ),
  given(
    "a replace of an older version is a Conflict and changes nothing",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* kubernetes.create(leases, lease(namespace, "a", "first"))
      const taken = yield* kubernetes.replace(leases, {
        ...lease(namespace, "a", "second"),
        metadata: created.metadata
      })
      const late = { ...lease(namespace, "a", "third"), metadata: created.metadata }
      yield* refused("Conflict", kubernetes.replace(leases, late))
      assert.deepStrictEqual(yield* kubernetes.get(leases, { namespace, name: "a" }), taken)
    })
  ),
  given(
    "of two replaces of one version exactly one succeeds",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const { metadata } = yield* kubernetes.create(leases, lease(namespace, "a", "nobody"))
      const contend = (name: string) =>
        kubernetes.replace(leases, { ...lease(namespace, "a", name), metadata }).pipe(
          Effect.as(name),
          Effect.orElseSucceed(() => undefined)
        )
      const outcomes = yield* Effect.all([contend("one"), contend("two")], { concurrency: 2 })
      const winners = outcomes.filter((name) => name !== undefined)
      assert.strictEqual(winners.length, 1)
      const { spec } = yield* kubernetes.get(leases, { namespace, name: "a" })
      assert.strictEqual(spec?.holderIdentity, winners[0])
    })
  ),
  given(
    "a replace of a deleted and recreated object is a Conflict, even with the new version",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const first = yield* createConfigMap(namespace, "a", { key: "first" })
      yield* kubernetes.delete(configMaps, { namespace, name: "a" })
      const second = yield* createConfigMap(namespace, "a", { key: "second" })
      const metadata = { ...first.metadata, resourceVersion: versionOf(second) }
      yield* refused("Conflict", kubernetes.replace(configMaps, { ...first, metadata }))
    })
  ),
  given(
    "a replace of a deleted ConfigMap is NotFound",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* createConfigMap(namespace, "a")
      yield* kubernetes.delete(configMaps, { namespace, name: "a" })
      yield* refused("NotFound", kubernetes.replace(configMaps, created))
    })
  ),
  given(
    "a replace of a deleted Lease is a Conflict and does not bring it back",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* kubernetes.create(leases, lease(namespace, "a", "first"))
      yield* kubernetes.delete(leases, { namespace, name: "a" })
      yield* refused("Conflict", kubernetes.replace(leases, created))
      yield* refused("NotFound", kubernetes.get(leases, { namespace, name: "a" }))
    })
  ),
  given(
    "a replace that leaves a field out removes it",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* createConfigMap(namespace, "a", { stays: "1", goes: "2" })
      const replaced = yield* kubernetes.replace(configMaps, { ...created, data: { stays: "1" } })
      assert.deepStrictEqual(replaced.data, { stays: "1" })
    })
  ),
  given(
    "a replace that changes nothing keeps the version",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* kubernetes.create(leases, lease(namespace, "a", "first"))
      assert.deepStrictEqual(yield* kubernetes.replace(leases, created), created)
    })
  ),
  given(
    "a merge patch sets what it names, removes what it nulls and leaves the rest",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* createConfigMap(namespace, "a", { stays: "1", changes: "2", goes: "3" }, { labels: { tier: "edge" } })
      const patch = { data: { changes: "22", goes: null, comes: "4" } }
      const patched = yield* kubernetes.patch(configMaps, { namespace, name: "a" }, patch)
      assert.deepStrictEqual(patched.data, { stays: "1", changes: "22", comes: "4" })
      assert.deepStrictEqual(patched.metadata.labels, { tier: "edge" })
    })
  ),
  given(
    "a merge patch replaces a list as a whole",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* createConfigMap(namespace, "a", {}, { finalizers: ["example.com/one", "example.com/two"] })
      const patch = { metadata: { finalizers: ["example.com/two"] } }
      const patched = yield* kubernetes.patch(configMaps, { namespace, name: "a" }, patch)
      assert.deepStrictEqual(patched.metadata.finalizers, ["example.com/two"])
    })
  ),
  given(
    "a merge patch with an older resourceVersion is a Conflict, with the current one it succeeds",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      const old = yield* createConfigMap(namespace, "a", { key: "1" })
      const current = yield* kubernetes.patch(configMaps, ref, { data: { key: "2" } })
      yield* refused("Conflict", kubernetes.patch(configMaps, ref, guardedPatch(old)))
      const patched = yield* kubernetes.patch(configMaps, ref, guardedPatch(current))
      assert.deepStrictEqual(patched.data, { key: "3" })
    })
  ),
  given(
    "a merge patch that names the uid of an earlier object is a Conflict",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      const first = yield* createConfigMap(namespace, "a")
      yield* kubernetes.delete(configMaps, ref)
      yield* createConfigMap(namespace, "a")
      const patch = { metadata: { uid: first.metadata.uid }, data: { key: "late" } }
      yield* refused("Conflict", kubernetes.patch(configMaps, ref, patch))
    })
  ),
  given(
    "a merge patch of an absent object is NotFound",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* refused("NotFound", kubernetes.patch(configMaps, { namespace, name: "absent" }, { data: { a: "b" } }))
    })
  ),
  given(
    "a merge patch that changes nothing keeps the version",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* createConfigMap(namespace, "a", { key: "value" })
      const patched = yield* kubernetes.patch(configMaps, { namespace, name: "a" }, { data: { key: "value" } })
      assert.strictEqual(versionOf(patched), versionOf(created))
    })
  ),
  given(
    "no write changes an object's creationTimestamp",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* createConfigMap(namespace, "a")
      const patch = { metadata: { creationTimestamp: "2001-01-01T00:00:00Z" }, data: { key: "value" } }
      const patched = yield* kubernetes.patch(configMaps, { namespace, name: "a" }, patch)
      assert.strictEqual(patched.metadata.creationTimestamp, created.metadata.creationTimestamp)
      assert.strictEqual(patched.metadata.uid, created.metadata.uid)
    })
  ),
  given(
    "a merge patch that renames the object is Invalid",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* createConfigMap(namespace, "a")
      yield* invalid("name", kubernetes.patch(configMaps, { namespace, name: "a" }, { metadata: { name: "b" } }))
    })
  ),
  given(
    "generation starts at 1, rises with the spec, and with nothing else",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      assert.strictEqual(generation(yield* createAllocation(namespace, "a")), 1)
      const labelled = yield* kubernetes.patch(ipAllocations, ref, { metadata: { labels: { a: "b" } } })
      assert.strictEqual(generation(labelled), 1)
      const reported = yield* kubernetes.patch(
        ipAllocations,
        ref,
        { status: { state: "success" } },
        { subresource: "status" }
      )
      assert.strictEqual(generation(reported), 1)
      assert.strictEqual(generation(yield* kubernetes.patch(ipAllocations, ref, { spec: { nodeList: "n1" } })), 2)
    })
  ),
  given(
    "kinds without a spec have no generation",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* kubernetes.create(rawConfigMaps, { metadata: { name: "a", namespace } })
      const made = yield* kubernetes.create(leases, lease(namespace, "a", "first"))
      assert.isUndefined(created.metadata.generation)
      assert.isUndefined(made.metadata.generation)
    })
  )
]
