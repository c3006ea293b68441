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

/** The same for texts, of which few are asked for again and again: when there are more than `max`, all are forgotten. */
export const onceForText = <V>(max: number, compute: (text: string) => V): ((text: string) => V) => {
  const known = new Map<string, V>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const value = compute(text)
    if (known.size >= max) known.clear()
    known.set(text, value)
    return value
  }
}
