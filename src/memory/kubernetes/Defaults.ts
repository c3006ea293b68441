/** What admission does to a custom resource before it is validated: undeclared fields go, defaults come. */
import type { Json, JsonObject } from "./Json.ts"
import { isList, isObject } from "./Json.ts"
import type { OpenApiSchema } from "./OpenApiSchema.ts"
import { items, member } from "./OpenApiSchema.ts"

/** What needs no change stays the same object: most of what is written is whole already. */
const prune = (value: Json, schema: OpenApiSchema, admitted?: Json): Json => {
  if (value === admitted) return value
  if (isList(value)) return mapItems(value, (item) => prune(item, items(schema)))
  return isObject(value) ? pruneObject(value, schema, admitted) : value
}

/** Parts of `admitted`, which has been through all of this by the same schema, are not looked at again. */
export const pruneObject = (object: JsonObject, schema: OpenApiSchema, admitted?: Json): JsonObject => {
  const kept: Record<string, Json> = {}
  let isSame = true
  for (const key of Object.keys(object)) {
    const value = object[key]
    const declared = member(schema, key)
    if (value !== undefined && declared !== undefined) kept[key] = prune(value, declared, memberOf(admitted, key))
    isSame &&= kept[key] === value
  }
  return isSame ? object : kept
}

const memberOf = (value: Json | undefined, key: string): Json | undefined => (isObject(value) ? value[key] : undefined)

/** A null where the schema does not allow it counts as absent, and is then defaulted. */
export const addDefaults = (object: JsonObject, schema: OpenApiSchema, admitted?: Json): JsonObject => {
  const filled: Record<string, Json> = {}
  let isSame = true
  for (const key of Object.keys(object)) {
    const value = object[key]
    const declared = member(schema, key)
    const isAbsent =
      value === null && declared !== undefined && declared.nullable !== true && declared.type !== undefined
    if (value !== undefined && !isAbsent)
      filled[key] = declared === undefined ? value : ofValue(value, declared, memberOf(admitted, key))
    isSame &&= filled[key] === value
  }
  for (const [key, value] of defaultsOf(schema)) {
    if (filled[key] !== undefined) continue
    filled[key] = value
    isSame = false
  }
  return isSame ? object : filled
}

const known = new WeakMap<OpenApiSchema, ReadonlyArray<readonly [string, Json]>>()

/** Of the members that have one, with the defaults within it. */
const defaultsOf = (schema: OpenApiSchema): ReadonlyArray<readonly [string, Json]> => {
  const found = known.get(schema)
  if (found !== undefined) return found
  const defaults = Object.entries(schema.properties ?? {}).flatMap(([key, declared]) =>
    declared.default === undefined ? [] : [[key, ofValue(declared.default, declared)] as const]
  )
  known.set(schema, defaults)
  return defaults
}

const ofValue = (value: Json, schema: OpenApiSchema, admitted?: Json): Json => {
  if (value === admitted) return value
  if (isList(value)) return mapItems(value, (item) => ofValue(item, items(schema)))
  return isObject(value) ? addDefaults(value, schema, admitted) : value
}

const mapItems = (list: ReadonlyArray<Json>, change: (item: Json) => Json): ReadonlyArray<Json> => {
  const changed = list.map(change)
  return changed.every((item, index) => item === list[index]) ? list : changed
}
