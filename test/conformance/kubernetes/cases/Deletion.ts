/** Deleting, preconditions, and finalizers. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { configMaps } from "../../../../src/api/ConfigMap.ts"
import { ipAllocations } from "../../../../src/api/IPAllocation.ts"
import { namespaces } from "../../../../src/api/Namespace.ts"
import { Kubernetes } from "../../../../src/ports/Kubernetes.ts"
import { type Case, given, invalid, newNamespace, refused, versionOf, watching } from "../Case.ts"
import { allocation, applyConfigMap, createConfigMap, rawConfigMaps } from "../Objects.ts"

const held = { finalizers: ["example.com/held"] }

export const deletionCases: ReadonlyArray<Case> = [
  given(
    "a deleted object is gone",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* createConfigMap(namespace, "a")
      yield* kubernetes.delete(configMaps, { namespace, name: "a" })
      yield* refused("NotFound", kubernetes.get(configMaps, { namespace, name: "a" }))
    })
  ),
  given(
    "deleting what is not there is NotFound",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* refused("NotFound", kubernetes.delete(configMaps, { namespace, name: "absent" }))
    })
  ),
  given(
    "a delete for another uid is a Conflict and deletes nothing",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      const first = yield* createConfigMap(namespace, "a")
      yield* kubernetes.delete(configMaps, ref, { uid: first.metadata.uid })
      const second = yield* createConfigMap(namespace, "a")
      yield* refused("Conflict", kubernetes.delete(configMaps, ref, { uid: first.metadata.uid }))
      assert.deepStrictEqual(yield* kubernetes.get(configMaps, ref), second)
    })
  ),
  given(
    "a delete for an older version is a Conflict and deletes nothing",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      const first = yield* createConfigMap(namespace, "a")
      const second = yield* kubernetes.patch(configMaps, ref, { data: { key: "value" } })
      yield* refused("Conflict", kubernetes.delete(configMaps, ref, { resourceVersion: versionOf(first) }))
      yield* kubernetes.delete(configMaps, ref, { resourceVersion: versionOf(second) })
      yield* refused("NotFound", kubernetes.get(configMaps, ref))
    })
  ),
  given(
    "a deleted object with a finalizer stays, marked with a deletionTimestamp",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      const created = yield* createConfigMap(namespace, "a", {}, held)
      yield* kubernetes.delete(configMaps, ref)
      const { metadata } = yield* kubernetes.get(configMaps, ref)
      assert.match(metadata.deletionTimestamp ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      assert.strictEqual(metadata.uid, created.metadata.uid)
      assert.notStrictEqual(metadata.resourceVersion, created.metadata.resourceVersion)
    })
  ),
  given(
    "deleting a second time succeeds and keeps the version",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      yield* createConfigMap(namespace, "a", {}, held)
      yield* kubernetes.delete(configMaps, ref)
      const marked = yield* kubernetes.get(configMaps, ref)
      yield* kubernetes.delete(configMaps, ref)
      assert.deepStrictEqual(yield* kubernetes.get(configMaps, ref), marked)
    })
  ),
  given(
    "an object that is being deleted goes when a patch removes its last finalizer",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      yield* createConfigMap(namespace, "a", {}, { finalizers: ["example.com/one", "example.com/two"] })
      yield* kubernetes.delete(configMaps, ref)
      const one = yield* kubernetes.patch(configMaps, ref, { metadata: { finalizers: ["example.com/two"] } })
      assert.isDefined(one.metadata.deletionTimestamp)
      yield* kubernetes.patch(configMaps, ref, { metadata: { finalizers: null } })
      yield* refused("NotFound", kubernetes.get(configMaps, ref))
    })
  ),
  given(
    "an object that is being deleted goes when an apply leaves out its last finalizer",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* applyConfigMap(namespace, "a", "one", { key: "value" }, { metadata: held })
      yield* kubernetes.delete(configMaps, { namespace, name: "a" })
      yield* applyConfigMap(namespace, "a", "one", { key: "value" })
      yield* refused("NotFound", kubernetes.get(configMaps, { namespace, name: "a" }))
    })
  ),
  given(
    "an object that is not being deleted survives the removal of its last finalizer",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      yield* createConfigMap(namespace, "a", {}, held)
      yield* kubernetes.patch(configMaps, ref, { metadata: { finalizers: null } })
      const { metadata } = yield* kubernetes.get(configMaps, ref)
      assert.isUndefined(metadata.finalizers)
    })
  ),
  given(
    "an object that is being deleted takes no new finalizer",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      yield* createConfigMap(namespace, "a", {}, held)
      yield* kubernetes.delete(configMaps, ref)
      const patch = { metadata: { finalizers: [...held.finalizers, "example.com/more"] } }
      yield* invalid("metadata.finalizers", kubernetes.patch(configMaps, ref, patch))
    })
  ),
  given(
    "an object that is being deleted may still be written",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      yield* createConfigMap(namespace, "a", {}, held)
      yield* kubernetes.delete(configMaps, ref)
      const patched = yield* kubernetes.patch(configMaps, ref, { data: { key: "value" } })
      assert.deepStrictEqual(patched.data, { key: "value" })
    })
  ),
  given(
    "a deletion cannot be taken back",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      yield* createConfigMap(namespace, "a", {}, held)
      yield* kubernetes.delete(configMaps, ref)
      const marked = yield* kubernetes.get(configMaps, ref)
      const metadata = { ...marked.metadata, deletionTimestamp: undefined }
      const replaced = yield* kubernetes.replace(rawConfigMaps, { ...marked, metadata })
      assert.strictEqual(replaced.metadata.deletionTimestamp, marked.metadata.deletionTimestamp)
    })
  ),
  given(
    "a name is taken until the deletion is complete",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* createConfigMap(namespace, "a", {}, held)
      yield* kubernetes.delete(configMaps, { namespace, name: "a" })
      yield* refused("AlreadyExists", createConfigMap(namespace, "a"))
    })
  ),
  given(
    "the mark of deletion raises the generation of a custom resource",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const { spec } = allocation(namespace, "a")
      yield* kubernetes.create(ipAllocations, { metadata: { name: "a", namespace, ...held }, spec })
      yield* kubernetes.delete(ipAllocations, { namespace, name: "a" })
      const { metadata } = yield* kubernetes.get(ipAllocations, { namespace, name: "a" })
      assert.strictEqual(metadata.generation, 2)
    })
  ),
  given(
    "the mark of deletion is Modified, the end is Deleted",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      const created = yield* createConfigMap(namespace, "a", {}, held)
      const watch = yield* watching(configMaps, { namespace }, versionOf(created))
      yield* kubernetes.delete(configMaps, ref)
      const marked = yield* watch.next
      assert.isTrue(marked.type === "Modified" && marked.object.metadata.deletionTimestamp !== undefined)
      yield* kubernetes.patch(configMaps, ref, { metadata: { finalizers: null } })
      assert.strictEqual((yield* watch.next).type, "Deleted")
    })
  ),
  given(
    "an owner that is deleted in the foreground waits, held by a finalizer of its own",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const owner = yield* createConfigMap(namespace, "owner")
      const reference = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.metadata.uid ?? "" }
      const ownerReferences = [{ ...reference, blockOwnerDeletion: true }]
      yield* createConfigMap(namespace, "dependent", {}, { ...held, ownerReferences })
      yield* kubernetes.delete(configMaps, { namespace, name: "owner" }, { propagation: "Foreground" })
      const { metadata } = yield* kubernetes.get(configMaps, { namespace, name: "owner" })
      assert.deepStrictEqual(metadata.finalizers, ["foregroundDeletion"])
    })
  ),
  given(
    "of two deletes the last one says what an owner waits for: in the background for nothing",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const owner = yield* createConfigMap(namespace, "owner")
      const reference = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.metadata.uid ?? "" }
      const ownerReferences = [{ ...reference, blockOwnerDeletion: true }]
      yield* createConfigMap(namespace, "dependent", {}, { ...held, ownerReferences })
      yield* kubernetes.delete(configMaps, { namespace, name: "owner" }, { propagation: "Foreground" })
      yield* kubernetes.delete(configMaps, { namespace, name: "owner" }, { propagation: "Background" })
      yield* refused("NotFound", kubernetes.get(configMaps, { namespace, name: "owner" }))
    })
  ),
  given(
    "a deleted namespace lingers, and takes nothing new",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      // Where controllers run, the namespace stays until this is released.
      yield* createConfigMap(namespace, "a", {}, held)
      yield* kubernetes.delete(namespaces, { name: namespace })
      const { metadata } = yield* kubernetes.get(namespaces, { name: namespace })
      assert.isDefined(metadata.deletionTimestamp)
      yield* refused("Denied", createConfigMap(namespace, "b"))
      yield* refused("Denied", applyConfigMap(namespace, "b", "one", { key: "value" }))
      yield* kubernetes.patch(configMaps, { namespace, name: "a" }, { metadata: { finalizers: null } })
    })
  ),
  given(
    "the namespace default cannot be deleted",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      yield* refused("Denied", kubernetes.delete(namespaces, { name: "default" }))
    })
  )
]
