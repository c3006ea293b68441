import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { customResourceDefinitions } from "../../../src/api/Crd.ts"
import type { StructuralSchema } from "../../../src/api/StructuralSchema.ts"
import { badManifests } from "../../conformance/bad-manifests.ts"
import { goodManifests } from "../../conformance/good-manifests.ts"
import { resourceTypes } from "../../conformance/manifest.ts"
import { staleFiles } from "../../tools/generated.ts"
import { problemsOfRules } from "../../tools/rules.ts"

interface Visited {
  readonly path: string
  readonly schema: StructuralSchema
}

const visit = (schema: StructuralSchema, path: string): ReadonlyArray<Visited> => [
  { path, schema },
  ...Object.entries(schema.properties ?? {}).flatMap(([key, child]) => visit(child, `${path}.${key}`)),
  ...(schema.items === undefined ? [] : visit(schema.items, `${path}[]`)),
  ...(schema.additionalProperties === undefined ? [] : visit(schema.additionalProperties, `${path}.*`))
]

const everySchema = customResourceDefinitions.flatMap(({ spec }) =>
  spec.versions.flatMap((version) => visit(version.schema.openAPIV3Schema, spec.names.kind))
)

/** Keys that kube-apiserver knows in a structural schema (apiextensions v1, JSONSchemaProps), less those it forbids there. */
const allowedKeys = new Set(
  (
    "type description format default nullable enum pattern minLength maxLength minimum maximum exclusiveMinimum " +
    "exclusiveMaximum multipleOf minItems maxItems minProperties maxProperties required properties " +
    "additionalProperties items x-kubernetes-int-or-string x-kubernetes-list-type x-kubernetes-list-map-keys " +
    "x-kubernetes-map-type x-kubernetes-validations"
  ).split(" ")
)

/** What keeps the cost of a rule below what the API server allows. */
const bounded = (schema: StructuralSchema): boolean => {
  if (schema.type === "array") return schema.maxItems !== undefined
  if (schema.type === "string") {
    return schema.maxLength !== undefined || schema.enum !== undefined || schema.format === "date-time"
  }
  return schema.additionalProperties === undefined || schema.maxProperties !== undefined
}

const ofKubernetes = /\.(apiVersion|kind|metadata)$/
const isPart = /(\[\])$/

describe("The rules of a structural schema hold in every CRD:", () => {
  it.each<readonly [string, (schema: StructuralSchema, path: string) => boolean]>([
    ["every value has a type", ({ type }) => type !== undefined],
    ["no key is unknown", (schema) => Object.keys(schema).every((key) => allowedKeys.has(key))],
    [
      "nothing has both properties and additionalProperties",
      ({ properties, additionalProperties }) => properties === undefined || additionalProperties === undefined
    ],
    ["every array has items", ({ type, items }) => type !== "array" || items !== undefined],
    ["every array has a list type", (schema) => schema.type !== "array" || "x-kubernetes-list-type" in schema],
    [
      "the keys of a list map are required in its items",
      ({ "x-kubernetes-list-map-keys": keys, items }) =>
        (keys ?? []).every((key) => items?.required?.includes(key) === true)
    ],
    [
      "what is required is a property without default",
      ({ required, properties }) =>
        (required ?? []).every((key) => {
          const child = properties?.[key]
          return child !== undefined && child.default === undefined
        })
    ],
    ["strings, lists and maps have a maximum", (schema, path) => ofKubernetes.test(path) || bounded(schema)],
    [
      "every field says what it is",
      (schema, path) => path.endsWith(".metadata") || isPart.test(path) || (schema.description ?? "").length > 3
    ]
  ])("%s", (_, holds) => {
    assert.isAbove(everySchema.length, 150)
    const breaking = everySchema.filter(({ path, schema }) => !holds(schema, path)).map(({ path }) => path)
    assert.deepStrictEqual(breaking, [])
  })
})

describe("Crd.customResourceDefinitions", () => {
  it("has rules that the library evaluates, that admit every good manifest, and that some bad one breaks", () => {
    assert.deepStrictEqual(problemsOfRules(customResourceDefinitions, goodManifests, badManifests), [])
  })

  it("notices a rule that only the API server understands", () => {
    const [first] = customResourceDefinitions
    assert.isDefined(first)
    const text = JSON.stringify(first).replace("size(self) > 0", "isSorted(self)")
    const problems = problemsOfRules([JSON.parse(text)], goodManifests, badManifests)
    assert.isTrue(
      problems.some((problem) => problem.includes("isSorted")),
      problems.join("\n")
    )
  })

  it("gives every kind a status subresource, and IPAllocations the category all", () => {
    for (const { spec } of customResourceDefinitions)
      assert.deepStrictEqual(spec.versions[0]?.subresources, { status: {} })
    const categories = customResourceDefinitions.map(({ spec }) => [spec.names.kind, spec.names.categories])
    assert.deepStrictEqual(Object.fromEntries(categories), {
      PersistentIPPool: undefined,
      EphemeralIPPool: undefined,
      IPAllocation: ["all"]
    })
  })
})

describe("Generated files", () => {
  it("are what the Schemas say: otherwise run npm run generate", () => {
    assert.deepStrictEqual(
      staleFiles(process.cwd()).map(({ path }) => path),
      []
    )
  })

  it("are stale in a folder that has none, all of them", () => {
    const kinds = customResourceDefinitions.length
    // Each CRD twice, the API reference, and the chart's schema and README.
    assert.lengthOf(staleFiles(import.meta.dirname), 2 * kinds + 3)
  })
})

describe("Decoding", () => {
  it.each(goodManifests.map((each) => [each.name, each] as const))("reads %s, and writes it as it was", (_, each) => {
    const object = { ...each.manifest, ...(each.status === undefined ? {} : { status: each.status }) }
    const decode: (input: unknown) => unknown = Schema.decodeUnknownSync(resourceTypes[each.kind].schema)
    assert.deepStrictEqual(decode(object), object)
  })

  it("reads what an older CRD let in and ours refuses, so that one bad entry does not take a pool away", () => {
    const decode = Schema.decodeUnknownSync(resourceTypes.PersistentIPPool.schema)
    const pool = decode({ metadata: { name: "rack-1" }, spec: { addresses: ["192.0.2.10", "192.0.2.300"] } })
    assert.deepStrictEqual(pool.spec.addresses, ["192.0.2.10", "192.0.2.300"])
  })

  it("drops what the Schema does not name", () => {
    const decode = Schema.decodeUnknownSync(resourceTypes.PersistentIPPool.schema)
    const metadata = { name: "rack-1", managedFields: [{}] }
    assert.deepStrictEqual<unknown>(decode({ metadata, spec: { addresses: ["192.0.2.10"], extra: 1 } }), {
      metadata: { name: "rack-1" },
      spec: { addresses: ["192.0.2.10"] }
    })
  })
})

describe("The tables of manifests", () => {
  it("are as long as promised, and name each case once", () => {
    assert.isAtLeast(badManifests.length, 45)
    assert.isAtLeast(goodManifests.length, 15)
    const names = [...badManifests, ...goodManifests].map(({ name }) => name)
    assert.lengthOf(new Set(names), names.length)
  })
})
