/** Watches: what arrives, in which order, and from where. */
import { assert } from "@effect/vitest"
import { Effect, Fiber, Schema, Stream } from "effect"
import { configMaps } from "../../../../src/api/ConfigMap.ts"
import { ipAllocations } from "../../../../src/api/IPAllocation.ts"
import { objectFields, StringMap } from "../../../../src/api/KubernetesObject.ts"
import { Kubernetes } from "../../../../src/ports/Kubernetes.ts"
import { type Case, given, newNamespace, nextSummaries, refused, summary, versionOf, watching } from "../Case.ts"
import { createConfigMap } from "../Objects.ts"

/** Where a watch of this namespace begins. */
const versionNow = (namespace: string) =>
  Kubernetes.use((kubernetes) =>
    Effect.map(kubernetes.list(configMaps, { namespace }), ({ resourceVersion }) => resourceVersion)
  )

/** A kind of ConfigMap whose `data` must have `ok`. */
const picky = {
  ...configMaps,
  schema: Schema.Struct({
    ...objectFields,
    data: Schema.StructWithRest(Schema.Struct({ ok: Schema.String }), [StringMap])
  })
}

export const watchCases: ReadonlyArray<Case> = [
  given(
    "a watch tells of creation, change and deletion, in order",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const watch = yield* watching(configMaps, { namespace }, yield* versionNow(namespace))
      const ref = { namespace, name: "a" }
      yield* createConfigMap(namespace, "a")
      yield* kubernetes.patch(configMaps, ref, { data: { key: "value" } })
      yield* kubernetes.delete(configMaps, ref)
      assert.deepStrictEqual(yield* nextSummaries(watch, 3), ["Added a", "Modified a", "Deleted a"])
    })
  ),
  given(
    "events carry the object as it was stored by that write",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const version = yield* versionNow(namespace)
      const created = yield* createConfigMap(namespace, "a", { key: "1" })
      const patched = yield* kubernetes.patch(configMaps, { namespace, name: "a" }, { data: { key: "2" } })
      const watch = yield* watching(configMaps, { namespace }, version)
      assert.deepStrictEqual(
        [yield* watch.next, yield* watch.next],
        [
          { type: "Added", object: created },
          { type: "Modified", object: patched }
        ]
      )
    })
  ),
  given(
    "a watch begins after the version it is given: that version's own change is not repeated",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* createConfigMap(namespace, "a")
      const second = yield* createConfigMap(namespace, "b")
      const watch = yield* watching(configMaps, { namespace }, versionOf(second))
      yield* createConfigMap(namespace, "c")
      assert.strictEqual(summary(yield* watch.next), "Added c")
    })
  ),
  given(
    "a watch replays what happened between its version and now",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const first = yield* createConfigMap(namespace, "a")
      yield* createConfigMap(namespace, "b")
      yield* kubernetes.delete(configMaps, { namespace, name: "a" })
      const watch = yield* watching(configMaps, { namespace }, versionOf(first))
      assert.deepStrictEqual(yield* nextSummaries(watch, 2), ["Added b", "Deleted a"])
    })
  ),
  given(
    "a watch from a list's version misses nothing and repeats nothing",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* createConfigMap(namespace, "before")
      const { items, resourceVersion } = yield* kubernetes.list(configMaps, { namespace })
      yield* createConfigMap(namespace, "after")
      const watch = yield* watching(configMaps, { namespace }, resourceVersion)
      assert.deepStrictEqual(
        [...items.map(({ metadata }) => metadata.name), summary(yield* watch.next)],
        ["before", "Added after"]
      )
    })
  ),
  given(
    "a watch of one namespace hears nothing of another",
    Effect.gen(function* () {
      const [here, there] = [yield* newNamespace, yield* newNamespace]
      const watch = yield* watching(configMaps, { namespace: here }, yield* versionNow(here))
      yield* createConfigMap(there, "a")
      yield* createConfigMap(here, "b")
      assert.strictEqual(summary(yield* watch.next), "Added b")
    })
  ),
  given(
    "a watch without a namespace hears of all of them",
    Effect.gen(function* () {
      const [one, two] = [yield* newNamespace, yield* newNamespace]
      const labelSelector = `kind-of-case=${one}`
      const watch = yield* watching(configMaps, { labelSelector }, yield* versionNow(one))
      yield* createConfigMap(one, "a", {}, { labels: { "kind-of-case": one } })
      yield* createConfigMap(two, "b", {}, { labels: { "kind-of-case": one } })
      assert.deepStrictEqual(yield* nextSummaries(watch, 2), ["Added a", "Added b"])
    })
  ),
  given(
    "an object that begins to match the selector is Added, one that ceases to is Deleted",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const ref = { namespace, name: "a" }
      const watch = yield* watching(configMaps, { namespace, labelSelector: "tier=edge" }, yield* versionNow(namespace))
      yield* createConfigMap(namespace, "a", {}, { labels: { tier: "core" } })
      yield* kubernetes.patch(configMaps, ref, { metadata: { labels: { tier: "edge" } } })
      yield* kubernetes.patch(configMaps, ref, { data: { key: "value" } })
      yield* kubernetes.patch(configMaps, ref, { metadata: { labels: { tier: "core" } } })
      yield* kubernetes.patch(configMaps, ref, { data: { key: "unseen" } })
      yield* kubernetes.delete(configMaps, ref)
      yield* createConfigMap(namespace, "b", {}, { labels: { tier: "edge" } })
      assert.deepStrictEqual(yield* nextSummaries(watch, 4), ["Added a", "Modified a", "Deleted a", "Added b"])
    })
  ),
  given(
    "the event of an object that ceases to match has the version of the write that took it out",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* createConfigMap(namespace, "a", {}, { labels: { tier: "edge" } })
      const watch = yield* watching(configMaps, { namespace, labelSelector: "tier=edge" }, versionOf(created))
      const patch = { metadata: { labels: { tier: "core" } } }
      const patched = yield* kubernetes.patch(configMaps, { namespace, name: "a" }, patch)
      const event = yield* watch.next
      assert.isTrue(event.type === "Deleted")
      assert.strictEqual(event.type === "Deleted" ? versionOf(event.object) : "", versionOf(patched))
    })
  ),
  given(
    "the event of a deletion has a version of its own, from which a watch continues",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* createConfigMap(namespace, "a")
      const watch = yield* watching(configMaps, { namespace }, versionOf(created))
      yield* kubernetes.delete(configMaps, { namespace, name: "a" })
      const event = yield* watch.next
      const version = event.type === "Deleted" ? versionOf(event.object) : "0"
      assert.isAbove(Number(version), Number(versionOf(created)))
      const next = yield* watching(configMaps, { namespace }, version)
      yield* createConfigMap(namespace, "b")
      assert.strictEqual(summary(yield* next.next), "Added b")
    })
  ),
  given(
    "a watch of one name hears of that object alone",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      const selection = { namespace, fieldSelector: "metadata.name=b" }
      const watch = yield* watching(configMaps, selection, yield* versionNow(namespace))
      yield* createConfigMap(namespace, "a")
      yield* createConfigMap(namespace, "b")
      assert.strictEqual(summary(yield* watch.next), "Added b")
    })
  ),
  given(
    "a write that changes nothing makes no event",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* createConfigMap(namespace, "a", { key: "value" })
      const watch = yield* watching(configMaps, { namespace }, versionOf(created))
      yield* kubernetes.patch(configMaps, { namespace, name: "a" }, { data: { key: "value" } })
      yield* createConfigMap(namespace, "b")
      assert.strictEqual(summary(yield* watch.next), "Added b")
    })
  ),
  given(
    "many watches of one kind all hear of the same change",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      const version = yield* versionNow(namespace)
      const watches = yield* Effect.all(Array.from({ length: 20 }, () => watching(configMaps, { namespace }, version)))
      yield* createConfigMap(namespace, "a")
      const events = yield* Effect.forEach(watches, (watch) => watch.next)
      assert.deepStrictEqual(new Set(events.map(summary)), new Set(["Added a"]))
    })
  ),
  given(
    "an object that its Schema refuses is Undecodable, in a list and in a watch, and delays no other",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const version = yield* versionNow(namespace)
      yield* createConfigMap(namespace, "bad", { wrong: "1" })
      yield* createConfigMap(namespace, "good", { ok: "1" })
      const { items, undecodable } = yield* kubernetes.list(picky, { namespace })
      assert.deepStrictEqual(
        [items, undecodable].map((list) => list.map(({ metadata }) => metadata.name)),
        [["good"], ["bad"]]
      )
      const watch = yield* watching(picky, { namespace }, version)
      assert.deepStrictEqual(yield* nextSummaries(watch, 2), ["Undecodable bad", "Added good"])
    })
  ),
  given(
    "a deleted object that its Schema refuses is told as gone",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const version = yield* versionNow(namespace)
      yield* createConfigMap(namespace, "bad", { wrong: "1" })
      yield* kubernetes.delete(configMaps, { namespace, name: "bad" })
      const watch = yield* watching(picky, { namespace }, version)
      const events = [yield* watch.next, yield* watch.next]
      const gone = events.map((event) => event.type === "Undecodable" && event.deleted === true)
      assert.deepStrictEqual(
        [events.map(summary), gone],
        [
          ["Undecodable bad", "Undecodable bad"],
          [false, true]
        ]
      )
    })
  ),
  given(
    "a read of an object that its Schema refuses is Malformed",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      yield* createConfigMap(namespace, "bad", { wrong: "1" })
      yield* refused("Malformed", kubernetes.get(picky, { namespace, name: "bad" }))
    })
  ),
  given(
    "a watch from a version that is long gone is Expired",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      const watch = yield* watching(ipAllocations, { namespace }, "1")
      const error = yield* watch.ended
      assert.strictEqual(error?.reason._tag, "Expired")
    })
  ),
  given(
    "a watch can be given up at any time",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const version = yield* versionNow(namespace)
      const watch = yield* Effect.forkChild(Stream.runDrain(kubernetes.watch(configMaps, { namespace }, version)))
      yield* createConfigMap(namespace, "a")
      yield* Fiber.interrupt(watch)
    })
  ),
  given(
    "a watch of a kind that is not installed fails with NotFound and kindMissing",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const unknown = { ...configMaps, group: "example.plenus.io", plural: "unknowns", kind: "Unknown" }
      const reason = yield* refused("NotFound", Stream.runDrain(kubernetes.watch(unknown, {}, "1")))
      assert.isTrue(reason._tag === "NotFound" && reason.kindMissing)
    })
  )
]
