import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Kubernetes } from "../../../../src/ports/Kubernetes.ts"
import { type Asked, json, overFunction, status, thing, things } from "./support.ts"

const page = (names: ReadonlyArray<string>, resourceVersion: string, next?: string) =>
  json({
    metadata: { resourceVersion, ...(next !== undefined && { continue: next }) },
    items: names.map((n) => thing(n))
  })

const gone = () => json(status(410, "Expired"), 410)

/** Answers in turn, and remembers what was asked. */
const script = (answers: ReadonlyArray<Response>) => {
  const asked: Array<Asked> = []
  const layer = overFunction((request) =>
    Effect.sync(() => {
      asked.push(request)
      return answers[asked.length - 1] ?? json(status(500, "InternalError", "asked too often"), 500)
    })
  )
  return { layer, asked, tokens: () => asked.map(({ url }) => url.searchParams.get("continue")) }
}

const names = Effect.gen(function* () {
  const { items, resourceVersion } = yield* (yield* Kubernetes).list(things, {})
  return { names: items.map(({ metadata }) => metadata.name), resourceVersion }
})

describe("list", () => {
  it.effect("reads all pages of one snapshot and asks for a quorum read", () => {
    const { layer, asked, tokens } = script([page(["a", "b"], "7", "t1"), page(["c"], "7", "t2"), page(["d"], "7")])
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* names, { names: ["a", "b", "c", "d"], resourceVersion: "7" })
      assert.deepStrictEqual(tokens(), [null, "t1", "t2"])
      assert.deepStrictEqual([...new Set(asked.map(({ url }) => url.searchParams.get("limit")))], ["500"])
      assert.isFalse(asked.some(({ url }) => url.searchParams.has("resourceVersion")))
    }).pipe(Effect.provide(layer))
  })

  it.effect("begins again when a page has expired, and keeps nothing of the first try", () => {
    const { layer, tokens } = script([page(["a"], "7", "t1"), gone(), page(["b"], "9", "t2"), page(["c"], "9")])
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* names, { names: ["b", "c"], resourceVersion: "9" })
      assert.deepStrictEqual(tokens(), [null, "t1", null, "t2"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives up with Expired after three tries", () => {
    const { layer, asked } = script([1, 2, 3, 4].flatMap((n) => [page(["a"], "7", `t${n}`), gone()]))
    return Effect.gen(function* () {
      const error = yield* Effect.flip(names)
      assert.strictEqual(error.reason._tag, "Expired")
      assert.strictEqual(error.resource, "things")
      assert.strictEqual(asked.length, 6)
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not repeat what failed for another reason", () => {
    const { layer, asked } = script([page(["a"], "7", "t1"), json(status(500, "InternalError"), 500)])
    return Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(names)).reason._tag, "Unavailable")
      assert.strictEqual(asked.length, 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("sets an object apart that its Schema refuses, with its metadata", () => {
    const broken = { ...thing("b"), size: "large", metadata: { ...thing("b").metadata, resourceVersion: "5" } }
    const { layer } = script([json({ metadata: { resourceVersion: "7" }, items: [thing("a"), broken, thing("c")] })])
    return Effect.gen(function* () {
      const { items, undecodable } = yield* (yield* Kubernetes).list(things, {})
      assert.deepStrictEqual(
        items.map(({ metadata }) => metadata.name),
        ["a", "c"]
      )
      assert.deepStrictEqual(
        undecodable.map(({ metadata }) => metadata),
        [broken.metadata]
      )
      assert.include(undecodable[0]?.message, "size")
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives the items of a list their kind, which the API server leaves out for built-in ones", () => {
    const { apiVersion: _, kind: __, ...bare } = thing("a")
    const { layer } = script([json({ metadata: { resourceVersion: "7" }, items: [bare] })])
    return Effect.gen(function* () {
      assert.deepStrictEqual((yield* (yield* Kubernetes).list(things, {})).items, [thing("a")])
    }).pipe(Effect.provide(layer))
  })

  it.effect("an empty list has the items null", () => {
    const { layer } = script([json({ metadata: { resourceVersion: "7" }, items: null })])
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* names, { names: [], resourceVersion: "7" })
    }).pipe(Effect.provide(layer))
  })

  it.effect("asks within a namespace, with selectors", () => {
    const { layer, asked } = script([page([], "7")])
    return Effect.gen(function* () {
      yield* (yield* Kubernetes).list(things, {
        namespace: "a b",
        labelSelector: "x=1,y",
        fieldSelector: "metadata.name=z"
      })
      const { pathname, searchParams } = asked[0]?.url ?? new URL("http://nothing")
      assert.strictEqual(pathname, "/apis/test.plenus.io/v1/namespaces/a%20b/things")
      assert.strictEqual(searchParams.get("labelSelector"), "x=1,y")
      assert.strictEqual(searchParams.get("fieldSelector"), "metadata.name=z")
    }).pipe(Effect.provide(layer))
  })

  it.effect("is Malformed when the reply is no list", () => {
    const { layer } = script([json({ kind: "Welcome" })])
    return Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(names)).reason._tag, "Malformed")
    }).pipe(Effect.provide(layer))
  })
})
