/** Sets of keys by a property that they share; in the order in which they were added. */
export class Multimap<K extends string = string> {
  private readonly sets = new Map<string, Set<K>>()

  add(property: string, key: K): void {
    const set = this.sets.get(property)
    if (set === undefined) this.sets.set(property, new Set([key]))
    else set.add(key)
  }

  remove(property: string, key: K): void {
    const set = this.sets.get(property)
    set?.delete(key)
    if (set?.size === 0) this.sets.delete(property)
  }

  get(property: string): ReadonlySet<K> {
    return this.sets.get(property) ?? new Set()
  }

  first(property: string): K | undefined {
    return this.get(property).values().next().value
  }

  properties(): Iterable<string> {
    return this.sets.keys()
  }
}
