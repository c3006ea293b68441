/**
 * What follows from an object that never changes, worked out once for each: objects from the API are read again and again
 * as they stand, by every round and every event. The answer goes when the object goes.
 */
export const once = <K extends object, V>(compute: (key: K) => V): ((key: K) => V) => {
  const known = new WeakMap<K, { readonly value: V }>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found.value
    const value = compute(key)
    known.set(key, { value })
    return value
  }
}
