/** What admission does to a custom resource before it is validated: undeclared fields go, defaults come. */
import type { Json, JsonObject } from "./Json.ts"
import { isList, isObject } from "./Json.ts"
import type { OpenApiSchema } from "./OpenApiSchema.ts"
import { items, member } from "./OpenApiSchema.ts"

const prune = (value: Json, schema: OpenApiSchema): Json => {
  if (isList(value)) return value.map((item) => prune(item, items(schema)))
  if (!isObject(value)) return value
  const kept: Record<string, Json> = {}
  for (const [key, child] of Object.entries(value)) {
    const declared = member(schema, key)
    if (declared !== undefined) kept[key] = prune(child, declared)
  }
  return kept
}

export const pruneObject = (object: JsonObject, schema: OpenApiSchema): JsonObject => {
  const pruned = prune(object, schema)
  return isObject(pruned) ? pruned : {}
}

/** A null where the schema does not allow it counts as absent, and is then defaulted. */
export const addDefaults = (object: JsonObject, schema: OpenApiSchema): JsonObject => {
  const filled: Record<string, Json> = {}
  for (const [key, value] of Object.entries(object)) {
    const declared = member(schema, key)
    if (value === null && declared !== undefined && declared.nullable !== true && declared.type !== undefined) continue
    filled[key] = declared === undefined ? value : ofValue(value, declared)
  }
  for (const [key, declared] of Object.entries(schema.properties ?? {}))
    if (declared.default !== undefined && filled[key] === undefined) filled[key] = ofValue(declared.default, declared)
  return filled
}

const ofValue = (value: Json, schema: OpenApiSchema): Json => {
  if (isObject(value)) return addDefaults(value, schema)
  if (isList(value)) return value.map((item) => ofValue(item, items(schema)))
  return value
}
