/** Objects as the API server stores them: immutable JSON, compared by value. */
export type Json = string | number | boolean | null | ReadonlyArray<Json> | JsonObject

export interface JsonObject {
  readonly [key: string]: Json
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const isList = (value: Json | undefined): value is ReadonlyArray<Json> => Array.isArray(value)

/** A copy, as it would arrive over the wire: keys whose value is undefined are not sent. */
const fromUnknown = (value: unknown): Json => {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value
  if (Array.isArray(value)) return value.map(fromUnknown)
  if (typeof value === "object") {
    const copy: Record<string, Json> = {}
    for (const key of Object.keys(value)) {
      const member: unknown = Reflect.get(value, key)
      if (member !== undefined) copy[key] = fromUnknown(member)
    }
    return copy
  }
  throw new TypeError(`not JSON: ${typeof value}`)
}

export const objectFromUnknown = (value: unknown): JsonObject => {
  const copy = fromUnknown(value)
  if (!isObject(copy)) throw new TypeError(`not a JSON object: ${typeof value}`)
  return copy
}

export const equals = (a: Json | undefined, b: Json | undefined): boolean => {
  if (a === b) return true
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, index) => equals(item, b[index]))
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && equals(a[key], b[key]))
}

/**
 * `value`, with every part that `known` has at the same place taken from there. Most of an object stays as it was in most
 * writes: what was worked out for such a part need not be worked out again, and is found by identity.
 */
export const sharing = (value: Json, known: Json | undefined): Json => {
  if (value === known) return value
  if (isList(value)) return isList(known) ? sharingItems(value, known) : value
  return isObject(value) && isObject(known) ? sharingMembers(value, known) : value
}

export const sharingMembers = (value: JsonObject, known: JsonObject): JsonObject => {
  const keys = Object.keys(value)
  let isKnown = keys.length === Object.keys(known).length
  let copy: Record<string, Json> | undefined
  for (const key of keys) {
    const own = value[key] as Json
    const other = known[key]
    const shared = sharing(own, other)
    if (shared !== other) isKnown = false
    if (shared === own) continue
    copy ??= { ...value }
    copy[key] = shared
  }
  return isKnown ? known : (copy ?? value)
}

const sharingItems = (value: ReadonlyArray<Json>, known: ReadonlyArray<Json>): ReadonlyArray<Json> => {
  const shared = value.map((item, index) => sharing(item, known[index]))
  return shared.length === known.length && shared.every((item, index) => item === known[index]) ? known : shared
}

export const at = (value: Json | undefined, ...path: ReadonlyArray<string>): Json | undefined => {
  let current = value
  for (const key of path) {
    if (!isObject(current)) return undefined
    current = current[key]
  }
  return current
}

export const textAt = (value: Json | undefined, ...path: ReadonlyArray<string>): string | undefined => {
  const found = at(value, ...path)
  return typeof found === "string" ? found : undefined
}

export const objectAt = (value: Json | undefined, ...path: ReadonlyArray<string>): JsonObject => {
  const found = at(value, ...path)
  return isObject(found) ? found : {}
}

export const listAt = (value: Json | undefined, ...path: ReadonlyArray<string>): ReadonlyArray<Json> => {
  const found = at(value, ...path)
  return isList(found) ? found : []
}

/**
 * `undefined` removes the key. Nothing is deleted from the copy: V8 makes a slow dictionary of an object that loses a key,
 * and what is stored is read many times.
 */
export const withField = (object: JsonObject, key: string, value: Json | undefined): JsonObject => {
  if (value !== undefined) return { ...object, [key]: value }
  if (!Object.hasOwn(object, key)) return object
  const copy: Record<string, Json> = {}
  for (const each of Object.keys(object)) if (each !== key) copy[each] = object[each] as Json
  return copy
}

export const withMetadata = (object: JsonObject, changes: { readonly [key: string]: Json | undefined }): JsonObject => {
  const before = objectAt(object, "metadata")
  const metadata: Record<string, Json> = {}
  for (const key of Object.keys(before)) {
    const value = Object.hasOwn(changes, key) ? changes[key] : before[key]
    if (value !== undefined) metadata[key] = value
  }
  for (const key of Object.keys(changes)) {
    const value = changes[key]
    if (value !== undefined) metadata[key] = value
  }
  return { ...object, metadata }
}
