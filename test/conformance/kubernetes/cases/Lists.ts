/** Lists and their selectors. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { configMaps } from "../../../../src/api/ConfigMap.ts"
import { Kubernetes, type KubernetesError, type Selection } from "../../../../src/ports/Kubernetes.ts"
import { type Case, given, newNamespace, refused, uniqueName, versionOf } from "../Case.ts"
import { createConfigMap } from "../Objects.ts"

const names = (selection: Selection): Effect.Effect<ReadonlyArray<string>, KubernetesError, Kubernetes> =>
  Kubernetes.use((kubernetes) =>
    Effect.map(kubernetes.list(configMaps, selection), ({ items }) => items.map(({ metadata }) => metadata.name))
  )

/** Three objects: a (edge, red), b (edge), c (core). */
const labelled = Effect.gen(function* () {
  const namespace = yield* newNamespace
  yield* createConfigMap(namespace, "c", {}, { labels: { tier: "core" } })
  yield* createConfigMap(namespace, "a", {}, { labels: { tier: "edge", color: "red" } })
  yield* createConfigMap(namespace, "b", {}, { labels: { tier: "edge" } })
  return namespace
})

const selects = (labelSelector: string, ...expected: ReadonlyArray<string>): Case =>
  given(
    `the label selector "${labelSelector}" selects ${expected.join(" and ")}`,
    Effect.gen(function* () {
      const namespace = yield* labelled
      assert.deepStrictEqual(yield* names({ namespace, labelSelector }), expected)
    })
  )

export const listCases: ReadonlyArray<Case> = [
  given(
    "a list of an empty namespace is empty",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      assert.deepStrictEqual(yield* names({ namespace }), [])
    })
  ),
  given(
    "a list has all objects of its namespace, in order of their names, and no others",
    Effect.gen(function* () {
      const [here, there] = [yield* newNamespace, yield* newNamespace]
      yield* Effect.forEach(["b", "c", "a"], (name) => createConfigMap(here, name))
      yield* createConfigMap(there, "d")
      assert.deepStrictEqual(yield* names({ namespace: here }), ["a", "b", "c"])
    })
  ),
  given(
    "a list without a namespace has the objects of all, in order of namespace and name",
    Effect.gen(function* () {
      const mark = yield* uniqueName("mark")
      const [one = "", two = ""] = [yield* newNamespace, yield* newNamespace].toSorted()
      yield* createConfigMap(two, "a", {}, { labels: { mark } })
      yield* createConfigMap(one, "b", {}, { labels: { mark } })
      const kubernetes = yield* Kubernetes
      const { items } = yield* kubernetes.list(configMaps, { labelSelector: `mark=${mark}` })
      assert.deepStrictEqual(
        items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
        [`${one}/b`, `${two}/a`]
      )
    })
  ),
  given(
    "a list shows every write that was answered before it",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const created = yield* createConfigMap(namespace, "a")
      const { items, resourceVersion } = yield* kubernetes.list(configMaps, { namespace })
      assert.deepStrictEqual(items, [created])
      assert.isAtLeast(Number(resourceVersion), Number(versionOf(created)))
    })
  ),
  given(
    "a list of more objects than a page holds is complete and in order",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      const expected = Array.from({ length: 1100 }, (_, index) => `a${String(index).padStart(4, "0")}`)
      yield* Effect.forEach(expected, (name) => createConfigMap(namespace, name), { concurrency: 32 })
      assert.deepStrictEqual(yield* names({ namespace }), expected)
    })
  ),
  selects("tier=edge", "a", "b"),
  selects("tier==core", "c"),
  selects("tier!=edge", "c"),
  selects("color", "a"),
  selects("!color", "b", "c"),
  selects("color!=blue", "a", "b", "c"),
  selects("tier in (core, other),!color", "c"),
  selects("tier notin (core)", "a", "b"),
  selects("tier=edge,color=red", "a"),
  given(
    "a label selector that cannot be parsed is Invalid",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* refused("Invalid", names({ namespace, labelSelector: "tier in (edge" }))
      yield* refused("Invalid", names({ namespace, labelSelector: "tier=edge=core" }))
    })
  ),
  given(
    "a field selector finds an object by name, and by namespace",
    Effect.gen(function* () {
      const namespace = yield* labelled
      assert.deepStrictEqual(yield* names({ namespace, fieldSelector: "metadata.name=b" }), ["b"])
      const both = `metadata.namespace=${namespace},metadata.name!=b`
      assert.deepStrictEqual(yield* names({ fieldSelector: both }), ["a", "c"])
    })
  ),
  given(
    "a field selector of another field is Invalid",
    Effect.gen(function* () {
      const namespace = yield* newNamespace
      yield* refused("Invalid", names({ namespace, fieldSelector: "data.key=value" }))
    })
  )
]
