/** Merging an applied configuration into the live object: by key where a list has keys, as a whole where it is atomic. */
import { itemElement } from "./FieldSet.ts"
import type { Json, JsonObject } from "./Json.ts"
import { isList, isObject } from "./Json.ts"
import type { OpenApiSchema } from "./OpenApiSchema.ts"
import { isAtomicMap, items, listType, member } from "./OpenApiSchema.ts"

export const mergeApplied = (live: JsonObject, applied: JsonObject, schema: OpenApiSchema): JsonObject => {
  const merged: Record<string, Json> = { ...live }
  for (const [key, value] of Object.entries(applied))
    merged[key] = mergeValue(live[key], value, member(schema, key) ?? {})
  return merged
}

const mergeValue = (live: Json | undefined, applied: Json, schema: OpenApiSchema): Json => {
  if (isObject(live) && isObject(applied) && !isAtomicMap(schema)) return mergeApplied(live, applied, schema)
  if (isList(live) && isList(applied) && listType(schema) !== "atomic") return mergeLists(live, applied, schema)
  return applied
}

/**
 * Items that only the live list has keep their place; those of the applied list come in its order
 * (structured-merge-diff `visitListItems`, v6).
 */
const mergeLists = (live: ReadonlyArray<Json>, applied: ReadonlyArray<Json>, schema: OpenApiSchema): Json => {
  const liveByKey = new Map(live.map((item) => [itemElement(item, schema), item]))
  const appliedKeys = applied.map((item) => itemElement(item, schema))
  const appliedSet = new Set(appliedKeys)
  const liveKeys = live.map((item) => itemElement(item, schema))
  const shared = appliedKeys.filter((key) => liveByKey.has(key))
  const done = new Set<string>()
  const merged: Array<Json> = []
  let nextShared = 0
  const take = (index: number): void => {
    const key = appliedKeys[index]
    const item = applied[index]
    if (key === undefined || item === undefined) return
    merged.push(mergeValue(liveByKey.get(key), item, items(schema)))
    done.add(key)
    if (shared[nextShared] === key) nextShared++
  }
  let l = 0
  let a = 0
  while (l < live.length || a < applied.length) {
    const liveKey = liveKeys[l]
    const liveItem = live[l]
    if (liveKey !== undefined && liveItem !== undefined) {
      if (liveKey === appliedKeys[a]) {
        take(a++)
        l++
        continue
      }
      if (
        a < applied.length &&
        appliedSet.has(liveKey) &&
        nextShared < shared.length &&
        shared[nextShared] !== liveKey
      ) {
        l++
        continue
      }
      if (!appliedSet.has(liveKey)) {
        merged.push(liveItem)
        l++
        continue
      }
      if (done.has(liveKey)) l++
    }
    if (a < applied.length) take(a++)
  }
  return merged
}

/** What server-side apply refuses before it merges (HTTP 500 of a real server): fields that the schema does not know. */
export const refusalOf = (value: Json, schema: OpenApiSchema, path = ""): string | undefined => {
  if (isObject(value)) {
    for (const [key, child] of Object.entries(value)) {
      const childSchema = member(schema, key)
      if (childSchema === undefined) return `${path}.${key}: field not declared in schema`
      const refusal = refusalOf(child, childSchema, `${path}.${key}`)
      if (refusal !== undefined) return refusal
    }
  } else if (isList(value)) return refusalOfList(value, schema, path)
  return undefined
}

const refusalOfList = (value: ReadonlyArray<Json>, schema: OpenApiSchema, path: string): string | undefined => {
  const seen = new Set<string>()
  for (const [index, item] of value.entries()) {
    const keyed = listType(schema) !== "atomic"
    const element = keyed ? itemElement(item, schema) : `[${index}]`
    if (keyed && seen.has(element)) return `${path}: duplicate entries for key ${element}`
    seen.add(element)
    const refusal = refusalOf(item, items(schema), path + element)
    if (refusal !== undefined) return refusal
  }
  return undefined
}
