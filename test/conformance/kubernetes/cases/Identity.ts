/** Creating, naming and finding objects. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { configMaps } from "../../../../src/api/ConfigMap.ts"
import { ipAllocations } from "../../../../src/api/IPAllocation.ts"
import { namespaces } from "../../../../src/api/Namespace.ts"
import { persistentIPPools } from "../../../../src/api/PersistentIPPool.ts"
import { services } from "../../../../src/api/Service.ts"
import { Kubernetes } from "../../../../src/ports/Kubernetes.ts"
import { type Case, given, invalid, newNamespace, refused, uniqueName } from "../Case.ts"
import { allocation, configMap, createAllocation, createConfigMap, loadBalancer } from "../Objects.ts"

export const identityCases: ReadonlyArray<Case> = [
  given(
    "a created object is read back as it was written",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* createConfigMap(namespace, "a", { key: "value" }, { labels: { tier: "edge" } })
      const read = yield* kubernetes.get(configMaps, { namespace, name: "a" })
      assert.deepStrictEqual(read, created)
      assert.deepStrictEqual(read.data, { key: "value" })
      assert.deepStrictEqual(read.metadata.labels, { tier: "edge" })
    })
  ),
  given(
    "a created object has a uid, a resourceVersion and a creationTimestamp in whole seconds",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      const { metadata } = yield* createConfigMap(namespace, "a")
      assert.match(metadata.uid ?? "", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      assert.match(metadata.resourceVersion ?? "", /^[1-9][0-9]*$/)
      assert.match(metadata.creationTimestamp ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    })
  ),
  given(
    "a creationTimestamp that the client gives is ignored",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      const created = yield* createConfigMap(namespace, "a", {}, { creationTimestamp: "2001-01-01T00:00:00Z" })
      assert.notStrictEqual(created.metadata.creationTimestamp, "2001-01-01T00:00:00Z")
    })
  ),
  given(
    "a deletionTimestamp that the client gives is ignored",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      const created = yield* createConfigMap(namespace, "a", {}, { deletionTimestamp: "2001-01-01T00:00:00Z" })
      assert.isUndefined(created.metadata.deletionTimestamp)
    })
  ),
  given(
    "an object that is deleted and created anew has another uid",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const first = yield* createConfigMap(namespace, "a")
      yield* kubernetes.delete(configMaps, { namespace, name: "a" })
      const second = yield* createConfigMap(namespace, "a")
      assert.notStrictEqual(second.metadata.uid, first.metadata.uid)
    })
  ),
  given(
    "creating what is there already is AlreadyExists",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* createConfigMap(namespace, "a")
      yield* refused("AlreadyExists", createConfigMap(namespace, "a", { other: "content" }))
    })
  ),
  given(
    "a create that is refused as AlreadyExists changes nothing",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* createConfigMap(namespace, "a", { key: "first" })
      yield* Effect.flip(createConfigMap(namespace, "a", { key: "second" }))
      assert.deepStrictEqual(yield* kubernetes.get(configMaps, { namespace, name: "a" }), created)
    })
  ),
  given(
    "one name may be used in two namespaces and by two kinds",
    Effect.gen(function* () {
      const [here, there] = [yield* newNamespace, yield* newNamespace]
      yield* createConfigMap(here, "a")
      yield* createConfigMap(there, "a")
      yield* createAllocation(here, "a")
    })
  ),
  given(
    "an absent object is NotFound, and its kind is not missing",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const reason = yield* refused("NotFound", kubernetes.get(configMaps, { namespace, name: "absent" }))
      assert.isTrue(reason._tag === "NotFound" && !reason.kindMissing)
    })
  ),
  given(
    "a kind that is not installed is NotFound with kindMissing",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const unknown = { ...configMaps, group: "example.plenus.io", plural: "unknowns", kind: "Unknown" }
      const get = yield* refused("NotFound", kubernetes.get(unknown, { namespace: "default", name: "a" }))
      const list = yield* refused("NotFound", kubernetes.list(unknown, {}))
      assert.isTrue(get._tag === "NotFound" && get.kindMissing)
      assert.isTrue(list._tag === "NotFound" && list.kindMissing)
    })
  ),
  given(
    "a version that is not served is NotFound with kindMissing",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const reason = yield* refused("NotFound", kubernetes.list({ ...ipAllocations, version: "v9" }, {}))
      assert.isTrue(reason._tag === "NotFound" && reason.kindMissing)
    })
  ),
  given(
    "nothing can be created in a namespace that does not exist",
    Effect.gen(function* () {
      const namespace = yield* uniqueName("absent")
      yield* refused("NotFound", createConfigMap(namespace, "a"))
    })
  ),
  given(
    "nothing can be applied into a namespace that does not exist",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* uniqueName("absent")
      const apply = kubernetes.apply(ipAllocations, { ...allocation(namespace, "a") }, { fieldManager: "case" })
      yield* refused("NotFound", apply)
    })
  ),
  given(
    "an object of a cluster-wide kind has no namespace",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const name = yield* uniqueName("pool")
      const spec = { addresses: ["192.0.2.10"] }
      const created = yield* kubernetes.create(persistentIPPools, { metadata: { name }, spec })
      assert.isUndefined(created.metadata.namespace)
      yield* kubernetes.delete(persistentIPPools, { name })
    })
  ),
  given(
    "a name with capitals or underscores is Invalid",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* invalid("metadata.name", createConfigMap(namespace, "Not_A_Name"))
    })
  ),
  given(
    "the name of a Service and of a Namespace holds no dot, that of a ConfigMap may",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* createConfigMap(namespace, "a.b")
      yield* invalid("metadata.name", kubernetes.create(services, loadBalancer(namespace, "a.b")))
      yield* invalid("metadata.name", kubernetes.create(namespaces, { metadata: { name: `${namespace}.b` } }))
    })
  ),
  given(
    "a label with a blank in its key or an invalid value is Invalid",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* invalid("metadata.labels", createConfigMap(namespace, "a", {}, { labels: { "a b": "c" } }))
      yield* invalid("metadata.labels", createConfigMap(namespace, "a", {}, { labels: { a: "-" } }))
      yield* invalid("metadata.labels", createConfigMap(namespace, "a", {}, { labels: { a: "x".repeat(64) } }))
    })
  ),
  given(
    "a finalizer without a domain is Invalid",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* invalid("metadata.finalizers", createConfigMap(namespace, "a", {}, { finalizers: ["cleanup"] }))
    })
  ),
  given(
    "a namespace bears its own name as a label",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const name = yield* newNamespace
      const read = yield* kubernetes.get(namespaces, { name })
      assert.strictEqual(read.metadata.labels?.["kubernetes.io/metadata.name"], name)
    })
  ),
  given(
    "labels and annotations that are empty are not there",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const { metadata } = yield* kubernetes.create(configMaps, {
        ...configMap(namespace, "a"),
        metadata: { name: "a", namespace, labels: {}, annotations: {}, finalizers: [], ownerReferences: [] }
      })
      assert.isUndefined(metadata.labels)
      assert.isUndefined(metadata.finalizers)
    })
  )
]
