/**
 * Which fields a value sets, as paths (structured-merge-diff's field sets). A field is a scalar, an atomic list or map,
 * an item of a list with keys, or an empty container. Elements of a path are written as the API server prints them in
 * conflicts: `.status`, `.addresses`, `[address="192.0.2.1",node="n1"]`, `[="finalizer"]`.
 */
import type { Json, JsonObject } from "./Json.ts"
import { equals, isList, isObject } from "./Json.ts"
import type { OpenApiSchema } from "./OpenApiSchema.ts"
import { isAtomicMap, isDeclaredField, itemKeys, items, listType, member } from "./OpenApiSchema.ts"

export type FieldSet = ReadonlySet<string>

/** Between the elements of a path, so that no path is a prefix of another by accident. */
const separator = "\u0000"

const join = (path: string, element: string): string => path + separator + element

export const render = (path: string): string => path.replaceAll(separator, "")

const fieldElement = (key: string): string => `.${key}`

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

/** Every field that the object sets; an item of a list with keys is itself a field. What a manager owns by applying. */
export const fieldsOf = (object: JsonObject, schema: OpenApiSchema): FieldSet => {
  const fields = new Map<string, Json>()
  collect(object, schema, "", fields, false)
  return new Set(fields.keys())
}

const collect = (
  value: Json,
  schema: OpenApiSchema,
  path: string,
  fields: Map<string, Json>,
  withContainers: boolean
): void => {
  if (unowned.has(path)) return
  const isMap = isObject(value) && !isAtomicMap(schema)
  const isKeyed = isList(value) && listType(schema) !== "atomic"
  if (!isMap && !isKeyed) {
    fields.set(path, value)
    return
  }
  if (path !== "" && isMap && (withContainers || Object.keys(value).length === 0)) fields.set(path, container)
  if (isMap)
    for (const [key, child] of Object.entries(value))
      collect(child, member(schema, key) ?? {}, join(path, fieldElement(key)), fields, withContainers)
  if (isKeyed)
    for (const item of value) {
      const itemPath = join(path, itemElement(item, schema))
      fields.set(itemPath, container)
      if (isObject(item)) collect(item, items(schema), itemPath, fields, withContainers)
    }
}

/** Stands for a map, a list or an item, whose members are fields of their own. */
const container = true

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

/** The value without the fields of `removed`; undefined when it is one of them, or when nothing is left in it. */
export const removeFields = (value: Json, schema: OpenApiSchema, removed: FieldSet, path = ""): Json | undefined => {
  if (removed.has(path)) return undefined
  if (isObject(value) && !isAtomicMap(schema)) {
    const rest: Record<string, Json> = {}
    for (const [key, child] of Object.entries(value)) {
      const kept = removeFields(child, member(schema, key) ?? {}, removed, join(path, fieldElement(key)))
      if (kept !== undefined) rest[key] = kept
    }
    return hasVanished(rest, value) ? undefined : rest
  }
  if (isList(value) && listType(schema) !== "atomic") {
    const rest = value.flatMap((item) => {
      const kept = removeFields(item, items(schema), removed, join(path, itemElement(item, schema)))
      return kept === undefined ? [] : [kept]
    })
    return hasVanished(rest, value) ? undefined : rest
  }
  return value
}

const hasVanished = (rest: object, value: object): boolean =>
  Object.keys(rest).length === 0 && Object.keys(value).length > 0

export interface Comparison {
  /** Added, or with another value. */
  readonly set: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
}

/** Maps that come or go count as fields too: whoever creates a map by an update owns the map. */
export const compare = (before: JsonObject, after: JsonObject, schema: OpenApiSchema): Comparison => {
  const found = { set: [], removed: [] }
  compareMaps(before, after, schema, "", found)
  return found
}

interface Found {
  readonly set: Array<string>
  readonly removed: Array<string>
}

/** Goes down only where something differs: most of an object stays as it was in most writes. */
const compareMaps = (
  before: JsonObject,
  after: JsonObject,
  schema: OpenApiSchema,
  path: string,
  found: Found
): void => {
  for (const key of Object.keys(after))
    if (before[key] !== after[key])
      compareValues(before[key], after[key], member(schema, key) ?? {}, join(path, fieldElement(key)), found)
  for (const key of Object.keys(before))
    if (after[key] === undefined)
      compareValues(before[key], undefined, member(schema, key) ?? {}, join(path, fieldElement(key)), found)
}

const compareValues = (
  before: Json | undefined,
  after: Json | undefined,
  schema: OpenApiSchema,
  path: string,
  found: Found
): void => {
  if (before === after || unowned.has(path)) return
  if (isObject(before) && isObject(after) && !isAtomicMap(schema)) compareMaps(before, after, schema, path, found)
  else if (!equals(before, after)) compareFields(fieldsIn(before, schema, path), fieldsIn(after, schema, path), found)
}

const fieldsIn = (value: Json | undefined, schema: OpenApiSchema, path: string): ReadonlyMap<string, Json> => {
  const fields = new Map<string, Json>()
  if (value !== undefined) collect(value, schema, path, fields, true)
  return fields
}

const compareFields = (old: ReadonlyMap<string, Json>, now: ReadonlyMap<string, Json>, found: Found): void => {
  for (const [path, value] of now) if (!old.has(path) || !equals(old.get(path), value)) found.set.push(path)
  for (const path of old.keys()) if (!now.has(path)) found.removed.push(path)
}
