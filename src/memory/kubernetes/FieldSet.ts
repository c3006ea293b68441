/**
 * Which fields a value sets, as paths (structured-merge-diff's field sets). A field is a scalar, an atomic list or map,
 * an item of a list with keys, or an empty container. Elements of a path are written as the API server prints them in
 * conflicts: `.status`, `.addresses`, `[address="192.0.2.1",node="n1"]`, `[="finalizer"]`.
 */
import type { Json, JsonObject } from "./Json.ts"
import { isList, isObject } from "./Json.ts"
import type { OpenApiSchema } from "./OpenApiSchema.ts"
import { isAtomicMap, isDeclaredField, itemKeys, items, listType, member } from "./OpenApiSchema.ts"

export type FieldSet = ReadonlySet<string>

/** Between the elements of a path, so that no path is a prefix of another by accident. */
const separator = "\u0000"

export const join = (path: string, element: string): string => path + separator + element

export const render = (path: string): string => path.replaceAll(separator, "")

export const fieldElement = (key: string): string => `.${key}`

export const itemElement = (item: Json, schema: OpenApiSchema): string => {
  if (listType(schema) === "set" || !isObject(item)) return `[=${JSON.stringify(item)}]`
  const keys = Object.entries(itemKeys(schema, item)).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",")}]`
}

/** What the server sets, and what names the object: no manager owns them. */
const unowned = new Set(
  ["apiVersion", "kind"]
    .concat(
      ["name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp"].map(
        (key) => `metadata${separator}.${key}`
      ),
      ["deletionGracePeriodSeconds", "generateName", "managedFields", "selfLink"].map(
        (key) => `metadata${separator}.${key}`
      )
    )
    .map((path) => `${separator}.${path}`)
)

/** Every field that the object sets, with its value; an item of a list with keys is itself a field. */
export const fieldsOf = (object: JsonObject, schema: OpenApiSchema): ReadonlyMap<string, Json> => {
  const fields = new Map<string, Json>()
  collect(object, schema, "", fields)
  return fields
}

const collect = (value: Json, schema: OpenApiSchema, path: string, fields: Map<string, Json>): void => {
  if (unowned.has(path)) return
  if (isObject(value) && !isAtomicMap(schema)) {
    const entries = Object.entries(value)
    if (entries.length === 0 && path !== "") fields.set(path, value)
    for (const [key, child] of entries) collect(child, member(schema, key) ?? {}, join(path, fieldElement(key)), fields)
  } else if (isList(value) && listType(schema) !== "atomic") {
    if (value.length === 0) fields.set(path, value)
    for (const item of value) {
      const itemPath = join(path, itemElement(item, schema))
      fields.set(itemPath, true)
      if (isObject(item)) collect(item, items(schema), itemPath, fields)
    }
  } else fields.set(path, value)
}

/**
 * The fields and, of their ancestors, those that the schema declares by name: without these a struct would stay behind
 * as `{}` when the last field in it goes.
 */
export const withNamedAncestors = (fields: Iterable<string>, schema: OpenApiSchema): FieldSet => {
  const all = new Set<string>()
  for (const path of fields) {
    all.add(path)
    let at: OpenApiSchema | undefined = schema
    let ancestor = ""
    for (const element of path.split(separator).slice(1, -1)) {
      ancestor = join(ancestor, element)
      const named: boolean = element.startsWith(".") && at !== undefined && isDeclaredField(at, element.slice(1))
      if (named) all.add(ancestor)
      at = at === undefined ? undefined : element.startsWith(".") ? member(at, element.slice(1)) : items(at)
    }
  }
  return all
}

/** The value without the fields of `removed`; undefined when the value itself is one of them. */
export const removeFields = (value: Json, schema: OpenApiSchema, removed: FieldSet, path = ""): Json | undefined => {
  if (removed.has(path)) return undefined
  if (isObject(value) && !isAtomicMap(schema)) {
    const rest: Record<string, Json> = {}
    for (const [key, child] of Object.entries(value)) {
      const kept = removeFields(child, member(schema, key) ?? {}, removed, join(path, fieldElement(key)))
      if (kept !== undefined) rest[key] = kept
    }
    return rest
  }
  if (isList(value) && listType(schema) !== "atomic")
    return value.flatMap((item) => {
      const kept = removeFields(item, items(schema), removed, join(path, itemElement(item, schema)))
      return kept === undefined ? [] : [kept]
    })
  return value
}

export interface Comparison {
  /** Added, or with another value. */
  readonly set: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
}

export const compare = (
  before: ReadonlyMap<string, Json>,
  after: ReadonlyMap<string, Json>,
  equal: (a: Json | undefined, b: Json | undefined) => boolean
): Comparison => ({
  set: [...after].filter(([path, value]) => !before.has(path) || !equal(before.get(path), value)).map(([path]) => path),
  removed: [...before.keys()].filter((path) => !after.has(path))
})
