/** Sets of keys by a property that they share; in the order in which they were added. */
export class Multimap {
  private readonly sets = new Map<string, Set<string>>()

  add(property: string, key: string): void {
    const set = this.sets.get(property)
    if (set === undefined) this.sets.set(property, new Set([key]))
    else set.add(key)
  }

  remove(property: string, key: string): void {
    const set = this.sets.get(property)
    set?.delete(key)
    if (set?.size === 0) this.sets.delete(property)
  }

  get(property: string): ReadonlySet<string> {
    return this.sets.get(property) ?? new Set()
  }

  first(property: string): string | undefined {
    return this.get(property).values().next().value
  }

  properties(): Iterable<string> {
    return this.sets.keys()
  }
}
