import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { field } from "../../../src/api/Admission.ts"
import { annotatedSchema } from "../../../src/api/Crd.ts"
import { type StructuralSchema, structural } from "../../../src/api/StructuralSchema.ts"

const convert = (fields: Schema.Struct.Fields): StructuralSchema => {
  const document = annotatedSchema(Schema.Struct(fields))
  return structural(document.schema, document.definitions)
}
const property = (schema: Schema.Constraint) => convert({ a: schema }).properties?.["a"]

class Named extends Schema.Class<Named>("Named")({ b: Schema.String }) {}
interface Tree {
  readonly children: ReadonlyArray<Tree>
}
const Tree = Schema.Struct({
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
}).annotate({ identifier: "Tree" })

describe("StructuralSchema.structural", () => {
  it("leaves out additionalProperties beside properties", () => {
    assert.deepStrictEqual(convert({ a: Schema.String }), {
      type: "object",
      properties: { a: { type: "string" } },
      required: ["a"]
    })
  })

  it("gives integers a format instead of the bounds of a double", () => {
    assert.deepStrictEqual(property(Schema.Int), { type: "integer", format: "int64" })
    const small = Schema.Int.annotate(field({ description: "", bounds: { minimum: 0, maximum: 9 } }))
    assert.deepStrictEqual(property(small), {
      type: "integer",
      format: "int32",
      description: "",
      minimum: 0,
      maximum: 9
    })
  })

  it("keeps a check's own bound, and makes null a property of the type", () => {
    assert.deepStrictEqual(property(Schema.String.check(Schema.isMaxLength(3))), { type: "string", maxLength: 3 })
    assert.deepStrictEqual(property(Schema.NullOr(Schema.String)), { type: "string", nullable: true })
  })

  it("does not require what has a default", () => {
    const defaulted = Schema.Boolean.annotate(field({ description: "", default: false }))
    assert.isUndefined(convert({ a: defaulted }).required)
  })

  it("keeps the values of a map", () => {
    assert.deepStrictEqual(property(Schema.Record(Schema.String, Schema.Int)), {
      type: "object",
      additionalProperties: { type: "integer", format: "int64" }
    })
  })

  it("says in the description what absence means, and leaves out what only the reference page reads", () => {
    const marked = Schema.String.annotate(field({ description: "A limit.", since: "1.0", absent: "no limit" }))
    assert.deepStrictEqual(property(marked), { type: "string", description: "A limit. When absent: no limit." })
  })

  it("inlines a named schema", () => {
    const inlined = property(Schema.Struct({ b: Schema.String }).annotate({ identifier: "Shared" }))
    assert.deepStrictEqual(inlined, { type: "object", properties: { b: { type: "string" } }, required: ["b"] })
    assert.strictEqual(property(Named)?.type, "object")
  })

  it.each<readonly [string, Schema.Constraint, RegExp]>([
    ["a union", Schema.Union([Schema.String, Schema.Boolean]), /^a cannot stand in a CRD: it is a union/],
    ["a tuple", Schema.Tuple([Schema.String]), /^a cannot stand in a CRD: /],
    [
      "a non-empty array, which is exported as a tuple",
      Schema.NonEmptyArray(Schema.String),
      /^a cannot stand in a CRD: /
    ],
    ["any JSON", Schema.Struct({ b: Schema.Json }), /^a\.b cannot stand in a CRD: /],
    ["a schema that contains itself", Tree, /contains itself/]
  ])("refuses %s, with the path", (_, schema, message) => {
    assert.throws(() => property(schema), message)
  })
})
