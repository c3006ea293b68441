/**
 * The truth: all objects, one version counter for all of them, and a bounded history for watches. Every commit is one
 * synchronous step, as a transaction of etcd is.
 */
import type { JsonObject } from "./Json.ts"
import { textAt, withMetadata } from "./Json.ts"
import type { Kind } from "./Kind.ts"
import type { Managers } from "./Ownership.ts"

export interface Stored {
  readonly object: JsonObject
  readonly managers: Managers
  /** Under which it passed admission as it stands: a definition may change, and is then another kind. */
  readonly admittedAs?: Kind | undefined
}

/** `before` absent: created; `after` absent: deleted. */
export interface Change {
  readonly version: number
  /** Name of the view that wrote. */
  readonly by: string
  /** `group/plural`. */
  readonly collection: string
  readonly before: JsonObject | undefined
  readonly after: JsonObject | undefined
  /** The object as watchers see it, with the version of this change. */
  readonly object: JsonObject
}

export interface Store {
  readonly version: () => number
  readonly get: (collection: string, key: string) => Stored | undefined
  readonly entries: (collection: string) => ReadonlyArray<Stored>
  /** The same, for who changes nothing meanwhile. */
  readonly values: (collection: string) => Iterable<Stored>
  readonly collections: () => ReadonlyArray<string>
  /** Writes, or deletes with undefined; returns the object with its new version. */
  readonly commit: (collection: string, key: string, next: Stored | undefined) => JsonObject
  /** Who writes from now on, for `Change.by`: a commit is one step, and so is everything before it in a request. */
  readonly setWriter: (user: string) => void
  /** Changes after the version, or undefined when some of them are gone. */
  readonly changesAfter: (version: number) => ReadonlyArray<Change> | undefined
  readonly forgetHistory: () => void
  readonly subscribe: (listener: (change: Change) => void) => () => void
}

export const keyOf = (namespace: string | undefined, name: string): string => `${namespace ?? ""}/${name}`

export const keyOfObject = (object: JsonObject): string =>
  keyOf(textAt(object, "metadata", "namespace"), textAt(object, "metadata", "name") ?? "")

export const make = (options: { readonly historyMax: number; readonly advance: () => number }): Store => {
  const collections = new Map<string, Map<string, Stored>>()
  const listeners = new Set<(change: Change) => void>()
  let history: Array<Change> = []
  let version = 1
  let writer = "kube-apiserver"
  /** The newest version that is gone from the history. */
  let forgotten = 0

  const commit = (collection: string, key: string, next: Stored | undefined): JsonObject => {
    const objects = collections.get(collection) ?? new Map<string, Stored>()
    collections.set(collection, objects)
    const before = objects.get(key)?.object
    const last = next?.object ?? before
    if (last === undefined) throw new Error(`nothing to delete: ${collection} ${key}`)
    version += options.advance()
    const object = withMetadata(last, { resourceVersion: String(version) })
    if (next === undefined) objects.delete(key)
    else objects.set(key, { object, managers: next.managers, admittedAs: next.admittedAs })
    const change = { version, by: writer, collection, before, after: next === undefined ? undefined : object, object }
    history.push(change)
    if (history.length > options.historyMax * 2) forget(history.length - options.historyMax)
    for (const listener of listeners) listener(change)
    return object
  }

  const forget = (count: number): void => {
    forgotten = history[count - 1]?.version ?? forgotten
    history = history.slice(count)
  }

  return {
    version: () => version,
    get: (collection, key) => collections.get(collection)?.get(key),
    entries: (collection) => [...(collections.get(collection)?.values() ?? [])],
    values: (collection) => collections.get(collection)?.values() ?? [],
    collections: () => [...collections.keys()],
    commit,
    setWriter: (user) => {
      writer = user
    },
    changesAfter: (from) => (from < forgotten ? undefined : history.slice(firstAfter(history, from))),
    forgetHistory: () => {
      forget(history.length)
      forgotten = version
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
}

/** Versions rise, so half of the rest is ruled out at each step. */
const firstAfter = (history: ReadonlyArray<Change>, version: number): number => {
  let low = 0
  let high = history.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((history[middle]?.version ?? 0) <= version) low = middle + 1
    else high = middle
  }
  return low
}
