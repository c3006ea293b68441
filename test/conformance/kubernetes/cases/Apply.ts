/** Server-side apply: who owns what, what goes when it is left out, and who may overrule whom. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { configMaps } from "../../../../src/api/ConfigMap.ts"
import { ipAllocations } from "../../../../src/api/IPAllocation.ts"
import { services } from "../../../../src/api/Service.ts"
import { Kubernetes, type KubernetesError } from "../../../../src/ports/Kubernetes.ts"
import { type Case, given, invalid, newNamespace, refused, versionOf } from "../Case.ts"
import {
  allocation,
  applyAllocation,
  applyConfigMap,
  createAllocation,
  createConfigMap,
  loadBalancer
} from "../Objects.ts"

const status = { subresource: "status" } as const
const holding = (finalizer: string) => ({ metadata: { finalizers: [finalizer] } })
const atVersion = (resourceVersion: string) => ({ metadata: { resourceVersion } })
const reporting = (metadata: object) => ({ metadata, status: { state: "success" } })
const serving = (address: string, node: string, epoch = 1) => ({ address, node, phase: "Serving", epoch })
const entries = (...addresses: ReadonlyArray<object>) => ({ status: { addresses } })
const entry = (node: string, epoch = 1) => entries(serving("192.0.2.10", node, epoch))
const spec = (address: string) => ({ type: "persistent", allocations: [{ address, pool: "rack-1" }] })

/** `192.0.2.10@n1`, in order. */
const shown = (namespace: string, name: string): Effect.Effect<ReadonlyArray<string>, KubernetesError, Kubernetes> =>
  Effect.map(
    Kubernetes.use((kubernetes) => kubernetes.get(ipAllocations, { namespace, name })),
    (object) => (object.status?.addresses ?? []).map(({ address, node }) => `${address}@${node}`)
  )

export const applyCases: ReadonlyArray<Case> = [
  given(
    "an apply creates what is not there",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      const applied = yield* applyConfigMap(namespace, "a", "one", { key: "value" })
      assert.deepStrictEqual(applied["data"], { key: "value" })
      assert.isDefined(applied.metadata.uid)
    })
  ),
  given(
    "an apply creates even with a resourceVersion",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* applyConfigMap(namespace, "a", "one", { key: "value" }, { metadata: { resourceVersion: "1" } })
    })
  ),
  given(
    "an apply with a uid creates nothing: Conflict",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const first = yield* createConfigMap(namespace, "a")
      yield* kubernetes.delete(configMaps, { namespace, name: "a" })
      const late = { metadata: { uid: first.metadata.uid } }
      yield* refused("Conflict", applyConfigMap(namespace, "a", "one", { key: "late" }, late))
      yield* refused("NotFound", kubernetes.get(configMaps, { namespace, name: "a" }))
    })
  ),
  given(
    "an apply for the uid of an earlier object of that name is a Conflict",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const first = yield* createConfigMap(namespace, "a")
      yield* kubernetes.delete(configMaps, { namespace, name: "a" })
      yield* createConfigMap(namespace, "a")
      const late = { force: true, metadata: { uid: first.metadata.uid } }
      yield* refused("Conflict", applyConfigMap(namespace, "a", "one", { key: "late" }, late))
    })
  ),
  given(
    "an apply to the status of a Service for the uid of an earlier one is a Conflict",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const first = yield* kubernetes.create(services, loadBalancer(namespace, "a"))
      yield* kubernetes.delete(services, { namespace, name: "a" })
      yield* kubernetes.create(services, loadBalancer(namespace, "a"))
      const late = {
        metadata: { name: "a", namespace, uid: first.metadata.uid },
        status: { loadBalancer: { ingress: [{ ip: "192.0.2.10" }] } }
      }
      yield* refused("Conflict", kubernetes.apply(services, late, { fieldManager: "one", force: true, ...status }))
    })
  ),
  given(
    "an apply to the status of a custom resource takes any uid: only a resourceVersion guards it",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const first = yield* createAllocation(namespace, "a")
      yield* kubernetes.delete(ipAllocations, { namespace, name: "a" })
      yield* createAllocation(namespace, "a")
      const unguarded = reporting({ uid: first.metadata.uid })
      const guarded = reporting({ resourceVersion: first.metadata.resourceVersion })
      yield* refused("Conflict", applyAllocation(namespace, "a", "one", guarded, status))
      const applied = yield* applyAllocation(namespace, "a", "one", unguarded, status)
      assert.notStrictEqual(applied.metadata.uid, first.metadata.uid)
      assert.deepStrictEqual(applied["status"], { state: "success" })
    })
  ),
  given(
    "an apply to the status of an absent Service brings it back, unless a uid is given: then it is a Conflict",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const first = yield* kubernetes.create(services, loadBalancer(namespace, "a"))
      yield* kubernetes.delete(services, { namespace, name: "a" })
      const { spec: serviceSpec, metadata } = loadBalancer(namespace, "a")
      const apply = (uid: object) =>
        kubernetes.apply(
          services,
          { metadata: { ...metadata, ...uid }, spec: serviceSpec },
          { fieldManager: "one", ...status }
        )
      yield* refused("Conflict", apply({ uid: first.metadata.uid }))
      yield* refused("NotFound", kubernetes.get(services, { namespace, name: "a" }))
      yield* apply({})
      yield* kubernetes.get(services, { namespace, name: "a" })
    })
  ),
  given(
    "an apply with an older resourceVersion is a Conflict, with the current one it succeeds",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const old = yield* createConfigMap(namespace, "a", { other: "1" })
      const current = yield* kubernetes.patch(configMaps, { namespace, name: "a" }, { data: { other: "2" } })
      yield* refused("Conflict", applyConfigMap(namespace, "a", "one", { key: "value" }, atVersion(versionOf(old))))
      yield* applyConfigMap(namespace, "a", "one", { key: "value" }, atVersion(versionOf(current)))
    })
  ),
  given(
    "an apply leaves alone what it does not name",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* createConfigMap(namespace, "a", { theirs: "1" }, { labels: { tier: "edge" } })
      const applied = yield* applyConfigMap(namespace, "a", "one", { ours: "2" })
      assert.deepStrictEqual(applied["data"], { theirs: "1", ours: "2" })
      assert.deepStrictEqual(applied.metadata.labels, { tier: "edge" })
    })
  ),
  given(
    "a field that its manager applies no longer is removed",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* applyConfigMap(namespace, "a", "one", { stays: "1", goes: "2" }, { metadata: { labels: { a: "b" } } })
      const applied = yield* applyConfigMap(namespace, "a", "one", { stays: "1" })
      assert.deepStrictEqual(applied["data"], { stays: "1" })
      assert.isUndefined(applied.metadata.labels)
    })
  ),
  given(
    "a field that two managers apply stays until both let go of it",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* applyConfigMap(namespace, "a", "one", { shared: "1" })
      yield* applyConfigMap(namespace, "a", "two", { shared: "1" })
      const still = yield* applyConfigMap(namespace, "a", "one", {})
      assert.deepStrictEqual(still["data"], { shared: "1" })
      const gone = yield* applyConfigMap(namespace, "a", "two", {})
      assert.isUndefined(gone["data"])
    })
  ),
  given(
    "a field that a patch took over is not removed by its first manager",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* applyConfigMap(namespace, "a", "one", { key: "applied", other: "1" })
      yield* kubernetes.patch(configMaps, { namespace, name: "a" }, { data: { key: "patched" } })
      const applied = yield* applyConfigMap(namespace, "a", "one", { other: "1" })
      assert.deepStrictEqual(applied["data"], { key: "patched", other: "1" })
    })
  ),
  given(
    "applying another value to a field of another manager is a Conflict that names both, and changes nothing",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const first = yield* applyConfigMap(namespace, "a", "one", { key: "1" })
      const reason = yield* refused("Conflict", applyConfigMap(namespace, "a", "two", { key: "2" }))
      const message = "message" in reason ? reason.message : ""
      assert.include(message, '"one"')
      assert.include(message, ".data.key")
      const read = yield* kubernetes.get(configMaps, { namespace, name: "a" })
      assert.strictEqual(versionOf(read), versionOf(first))
    })
  ),
  given(
    "applying the same value as another manager is no conflict",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* applyConfigMap(namespace, "a", "one", { key: "1" })
      const applied = yield* applyConfigMap(namespace, "a", "two", { key: "1" })
      assert.deepStrictEqual(applied["data"], { key: "1" })
    })
  ),
  given(
    "force takes the field over, and the other manager then conflicts",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* applyConfigMap(namespace, "a", "one", { key: "1" })
      const forced = yield* applyConfigMap(namespace, "a", "two", { key: "2" }, { force: true })
      assert.deepStrictEqual(forced["data"], { key: "2" })
      yield* refused("Conflict", applyConfigMap(namespace, "a", "one", { key: "1" }))
    })
  ),
  given(
    "a field lost to force is not removed by its former manager",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* applyConfigMap(namespace, "a", "one", { key: "1", other: "1" })
      yield* applyConfigMap(namespace, "a", "two", { key: "2" }, { force: true })
      const applied = yield* applyConfigMap(namespace, "a", "one", { other: "1" })
      assert.deepStrictEqual(applied["data"], { key: "2", other: "1" })
    })
  ),
  given(
    "a create owns what it sets: applying another value conflicts, until forced",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* createConfigMap(namespace, "a", { key: "1" })
      yield* refused("Conflict", applyConfigMap(namespace, "a", "one", { key: "2" }))
      const forced = yield* applyConfigMap(namespace, "a", "one", { key: "2" }, { force: true })
      assert.deepStrictEqual(forced["data"], { key: "2" })
    })
  ),
  given(
    "a patch owns what it changes: applying the former value conflicts",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* applyConfigMap(namespace, "a", "one", { key: "1" })
      yield* kubernetes.patch(configMaps, { namespace, name: "a" }, { data: { key: "2" } })
      yield* refused("Conflict", applyConfigMap(namespace, "a", "one", { key: "1" }))
    })
  ),
  given(
    "what a patch removed may be applied anew without force",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* applyConfigMap(namespace, "a", "one", { key: "1", other: "1" })
      yield* kubernetes.patch(configMaps, { namespace, name: "a" }, { data: { key: null } })
      const applied = yield* applyConfigMap(namespace, "a", "two", { key: "2" })
      assert.deepStrictEqual(applied["data"], { key: "2", other: "1" })
    })
  ),
  given(
    "an apply that changes nothing keeps the version",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      const first = yield* applyAllocation(namespace, "a", "one", { spec: spec("192.0.2.10") })
      const again = yield* applyAllocation(namespace, "a", "one", { spec: spec("192.0.2.10") })
      assert.deepStrictEqual(again, first)
    })
  ),
  given(
    "to own a field is a change: the first apply of an equal value has a new version, the second has not",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      const created = yield* createConfigMap(namespace, "a", { key: "1" })
      const first = yield* applyConfigMap(namespace, "a", "one", { key: "1" })
      const second = yield* applyConfigMap(namespace, "a", "one", { key: "1" })
      assert.notStrictEqual(versionOf(first), versionOf(created))
      assert.strictEqual(versionOf(second), versionOf(first))
    })
  ),
  given(
    "an atomic list is replaced as a whole",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* applyAllocation(namespace, "a", "one", { spec: spec("192.0.2.10") })
      const applied = yield* applyAllocation(namespace, "a", "one", { spec: spec("192.0.2.11") })
      assert.deepStrictEqual(applied["spec"], spec("192.0.2.11"))
    })
  ),
  given(
    "an atomic list of another manager is one field: a Conflict",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* applyAllocation(namespace, "a", "one", { spec: spec("192.0.2.10") })
      const reason = yield* refused(
        "Conflict",
        applyAllocation(namespace, "a", "two", { spec: { allocations: [{ address: "192.0.2.11", pool: "rack-1" }] } })
      )
      assert.include("message" in reason ? reason.message : "", ".spec.allocations")
    })
  ),
  given(
    "of a list with keys each manager applies its own entries",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* createAllocation(namespace, "a")
      yield* applyAllocation(namespace, "a", "one", entry("n1"), status)
      yield* applyAllocation(namespace, "a", "two", entry("n2"), status)
      assert.deepStrictEqual(yield* shown(namespace, "a"), ["192.0.2.10@n1", "192.0.2.10@n2"])
    })
  ),
  given(
    "an entry that its manager leaves out is removed, those of others stay",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* createAllocation(namespace, "a")
      const [first, second] = [serving("192.0.2.10", "n1"), serving("192.0.2.11", "n1")]
      yield* applyAllocation(namespace, "a", "one", entries(first, second), status)
      yield* applyAllocation(namespace, "a", "two", entries(serving("192.0.2.10", "n2")), status)
      yield* applyAllocation(namespace, "a", "one", entries(second), status)
      assert.deepStrictEqual(yield* shown(namespace, "a"), ["192.0.2.11@n1", "192.0.2.10@n2"])
    })
  ),
  given(
    "the last entry that a manager leaves out is removed too, when it applies no status at all",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* createAllocation(namespace, "a")
      yield* applyAllocation(namespace, "a", "one", { status: { addresses: [serving("192.0.2.10", "n1")] } }, status)
      yield* applyAllocation(namespace, "a", "one", {}, status)
      assert.deepStrictEqual(yield* shown(namespace, "a"), [])
    })
  ),
  given(
    "changing a field within another manager's entry is a Conflict that names the entry",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* createAllocation(namespace, "a")
      yield* applyAllocation(namespace, "a", "one", entry("n1", 1), status)
      const reason = yield* refused("Conflict", applyAllocation(namespace, "a", "two", entry("n1", 2), status))
      const path = '.status.addresses[address="192.0.2.10",node="n1"].epoch'
      assert.include("message" in reason ? reason.message : "", path)
    })
  ),
  given(
    "a field within an entry changes in place",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* createAllocation(namespace, "a")
      yield* applyAllocation(namespace, "a", "one", entry("n1", 1), status)
      yield* applyAllocation(namespace, "a", "two", entry("n2", 1), status)
      const applied = yield* applyAllocation(namespace, "a", "one", entry("n1", 2), status)
      assert.deepStrictEqual(applied["status"], {
        addresses: [serving("192.0.2.10", "n1", 2), serving("192.0.2.10", "n2", 1)]
      })
    })
  ),
  given(
    "two entries of one key are Invalid",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* createAllocation(namespace, "a")
      const twice = { status: { addresses: [serving("192.0.2.10", "n1"), serving("192.0.2.10", "n1")] } }
      yield* invalid("status.addresses", applyAllocation(namespace, "a", "one", twice, status))
    })
  ),
  given(
    "finalizers are a set: each manager adds and removes its own",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* applyConfigMap(namespace, "a", "one", {}, holding("example.com/one"))
      const both = yield* applyConfigMap(namespace, "a", "two", {}, holding("example.com/two"))
      assert.deepStrictEqual(both.metadata.finalizers, ["example.com/one", "example.com/two"])
      const one = yield* applyConfigMap(namespace, "a", "one", {})
      assert.deepStrictEqual(one.metadata.finalizers, ["example.com/two"])
    })
  ),
  given(
    "owner references are a list with the uid as key",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      const owners = [yield* createConfigMap(namespace, "x"), yield* createConfigMap(namespace, "y")]
      const referring = owners.map(({ metadata }) => ({
        metadata: { ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: metadata.name, uid: metadata.uid }] }
      }))
      yield* applyConfigMap(namespace, "a", "one", {}, referring[0])
      const both = yield* applyConfigMap(namespace, "a", "two", {}, referring[1])
      assert.deepStrictEqual(
        both.metadata.ownerReferences?.map(({ name }) => name),
        ["x", "y"]
      )
    })
  ),
  given(
    "the status is applied through its subresource alone",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      const both = { spec: spec("192.0.2.10"), status: { state: "success" } }
      const created = yield* applyAllocation(namespace, "a", "one", both)
      assert.isUndefined(created["status"])
      const reported = yield* applyAllocation(namespace, "a", "one", { ...both, spec: spec("192.0.2.99") }, status)
      assert.deepStrictEqual(reported["status"], { state: "success" })
      assert.deepStrictEqual(reported["spec"], spec("192.0.2.10"))
    })
  ),
  given(
    "one manager's status and spec are owned apart: applying one neither removes nor forgets the other",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* applyAllocation(namespace, "a", "one", { spec: { ...spec("192.0.2.10"), nodeList: "n1" } })
      yield* applyAllocation(namespace, "a", "one", { status: { state: "success" } }, status)
      const applied = yield* applyAllocation(namespace, "a", "one", { spec: spec("192.0.2.11") })
      assert.deepStrictEqual(applied["status"], { state: "success" })
      assert.deepStrictEqual(applied["spec"], spec("192.0.2.11"))
    })
  ),
  given(
    "an apply of a field that the schema does not declare is Invalid and names it",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      const fields = { spec: { ...spec("192.0.2.10"), surprise: 1 } }
      yield* invalid(".spec.surprise", applyAllocation(namespace, "a", "one", fields))
    })
  ),
  given(
    "an apply that the schema refuses is Invalid and creates nothing",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* invalid(
        "spec.type",
        applyAllocation(namespace, "a", "one", { spec: { ...spec("192.0.2.10"), type: "x" } })
      )
      yield* refused("NotFound", kubernetes.get(ipAllocations, { namespace, name: "a" }))
    })
  ),
  given(
    "an apply answers like a get",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const applied = yield* kubernetes.apply(ipAllocations, { ...allocation(namespace, "a") }, { fieldManager: "one" })
      assert.deepStrictEqual(yield* kubernetes.get(ipAllocations, { namespace, name: "a" }), applied)
    })
  )
]
