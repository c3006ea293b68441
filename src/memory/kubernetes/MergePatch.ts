/** JSON merge patch, RFC 7396. */
import type { Json, JsonObject } from "./Json.ts"
import { isObject } from "./Json.ts"

export const mergePatch = (target: JsonObject, patch: JsonObject): JsonObject => {
  const merged: Record<string, Json> = { ...target }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key]
    else merged[key] = mergeValue(merged[key], value)
  }
  return merged
}

const mergeValue = (target: Json | undefined, patch: Json): Json =>
  isObject(patch) ? mergePatch(isObject(target) ? target : {}, patch) : patch
