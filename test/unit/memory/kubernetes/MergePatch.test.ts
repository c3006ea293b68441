import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "../../../../src/memory/kubernetes/Json.ts"
import { mergePatch } from "../../../../src/memory/kubernetes/MergePatch.ts"

type Row = readonly [name: string, target: JsonObject, patch: JsonObject, result: JsonObject]

// RFC 7396, appendix A, as far as target and patch are objects.
// oxfmt-ignore
const rows: ReadonlyArray<Row> = [
  ["replaces a value", { a: "b" }, { a: "c" }, { a: "c" }],
  ["adds a value", { a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  ["removes what is null", { a: "b" }, { a: null }, {}],
  ["removes one of two", { a: "b", b: "c" }, { a: null }, { b: "c" }],
  ["replaces a list by a value", { a: ["b"] }, { a: "c" }, { a: "c" }],
  ["replaces a value by a list", { a: "c" }, { a: ["b"] }, { a: ["b"] }],
  ["merges objects", { a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  ["replaces a list of objects as a whole", { a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  ["keeps a null that is there", { e: null }, { a: 1 }, { e: null, a: 1 }],
  ["makes no null on the way", {}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }]
]

describe("mergePatch", () => {
  it.each(rows)("%s", (_, target, patch, result) => {
    assert.deepStrictEqual(mergePatch(target, patch), result)
  })
})
