/**
 * What kube-controller-manager does in a real cluster: garbage collection by owner references, and the emptying of
 * namespaces. One pass is one synchronous step; `MemoryKubernetes` decides when passes happen. A bare API server (the
 * loopback tier) has none of it.
 */
import { Result } from "effect"
import type { ApiServer } from "./ApiServer.ts"
import { definitions, kindOf } from "./ApiServer.ts"
import { remove } from "./Deletion.ts"
import type { Json, JsonObject } from "./Json.ts"
import { at, equals, isObject, listAt, textAt, withMetadata } from "./Json.ts"
import * as Metadata from "./Metadata.ts"
import { type Change, keyOfObject, type Stored } from "./Store.ts"

/** Whether anything was changed; repeat until false. */
export const pass = (server: ApiServer, nowMillis: number): boolean => {
  const collected = collectGarbage(server, nowMillis)
  const emptied = emptyNamespaces(server, nowMillis)
  return collected || emptied
}

/**
 * Calls back at each change after which a pass could find something to do. Most changes are none: an object that is not
 * being deleted and keeps its owners concerns neither collector.
 */
export const onWork = (server: ApiServer, work: () => void): void => {
  const alive = new Set(everything(server).map(({ object }) => uidOf(object)))
  const isConcerned = ({ after, before, collection }: Change): boolean => {
    if (after === undefined || Metadata.isDeleting(after) || collection === definitions) return true
    if (before !== undefined && equals(ownersIn(before), ownersIn(after))) return false
    return ownersOf(after).some(({ uid }) => typeof uid !== "string" || !alive.has(uid))
  }
  server.store.subscribe((change) => {
    if (change.before === undefined) alive.add(uidOf(change.object))
    if (change.after === undefined) alive.delete(uidOf(change.object))
    if (isConcerned(change)) work()
  })
}

interface Found extends Stored {
  readonly collection: string
}

/** Whether one of the collectors is concerned by it at all: most objects have no owner and are not being deleted. */
const isOfInterest = ({ object }: Stored): boolean => {
  const metadata = object["metadata"] as JsonObject
  return metadata["ownerReferences"] !== undefined || metadata["deletionTimestamp"] !== undefined
}

/** As `everything`, in its order, without what concerns nobody. */
const interesting = ({ store }: ApiServer): ReadonlyArray<Found> => {
  const all: Array<Found> = []
  for (const collection of store.collections())
    for (const stored of store.values(collection)) if (isOfInterest(stored)) all.push({ collection, ...stored })
  return all
}

/** By uid, those that are named as owners. */
const ownersAmong = (server: ApiServer, named: ReadonlySet<string>): ReadonlyMap<string, Found> => {
  const owners = new Map<string, Found>()
  if (named.size === 0) return owners
  for (const collection of server.store.collections())
    for (const stored of server.store.values(collection)) {
      const uid = uidOf(stored.object)
      if (named.has(uid)) owners.set(uid, { collection, ...stored })
    }
  return owners
}

const everything = ({ store }: ApiServer): ReadonlyArray<Found> =>
  store
    .collections()
    .flatMap((collection) =>
      store.entries(collection).map(({ managers, object }) => ({ collection, managers, object }))
    )

const uidOf = (object: JsonObject): string => textAt(object, "metadata", "uid") ?? ""

const ownersIn = (object: JsonObject): ReadonlyArray<Json> => listAt(object, "metadata", "ownerReferences")

const ownersOf = (object: JsonObject): ReadonlyArray<JsonObject> => ownersIn(object).filter(isObject)

const collectGarbage = (server: ApiServer, nowMillis: number): boolean => {
  const all = interesting(server)
  const named = new Set(
    all.flatMap(({ object }) => ownersOf(object).map((reference) => textAt(reference, "uid") ?? ""))
  )
  const alive = ownersAmong(server, named)
  let changed = false
  for (const found of all) {
    const owners = ownersOf(found.object)
    if (owners.length > 0) changed = collectDependent(server, found, owners, alive, nowMillis) || changed
  }
  for (const found of all) changed = finishOwner(server, found, all) || changed
  return changed
}

/** A dependent lives as long as one owner does; references to owners that are gone are dropped. */
const collectDependent = (
  server: ApiServer,
  found: Found,
  owners: ReadonlyArray<JsonObject>,
  alive: ReadonlyMap<string, Found>,
  nowMillis: number
): boolean => {
  const ownerOf = (reference: JsonObject): Found | undefined => alive.get(textAt(reference, "uid") ?? "")
  const solid = owners.filter((reference) => {
    const owner = ownerOf(reference)
    return owner !== undefined && !isHeldBy(owner.object, "foregroundDeletion")
  })
  if (solid.length === 0) return removeFound(server, found, nowMillis)
  const present = owners.filter((reference) => ownerOf(reference) !== undefined)
  if (present.length === owners.length) return false
  return rewrite(server, found, withMetadata(found.object, { ownerReferences: present }))
}

const isHeldBy = (object: JsonObject, finalizer: string): boolean =>
  Metadata.isDeleting(object) && listAt(object, "metadata", "finalizers").includes(finalizer)

/** Foreground: once no dependent is left that blocks it. Orphan: once no dependent names it. */
const finishOwner = (server: ApiServer, found: Found, all: ReadonlyArray<Found>): boolean => {
  const { object } = found
  const isOrphaning = isHeldBy(object, "orphan")
  if (!isOrphaning && !isHeldBy(object, "foregroundDeletion")) return false
  const named = (other: Found, blocking: boolean): boolean =>
    ownersOf(other.object).some(
      (reference) => reference["uid"] === uidOf(object) && (!blocking || at(reference, "blockOwnerDeletion") === true)
    )
  if (isOrphaning) {
    for (const other of all.filter((candidate) => named(candidate, false))) {
      const rest = ownersOf(other.object).filter((reference) => reference["uid"] !== uidOf(object))
      rewrite(server, other, withMetadata(other.object, { ownerReferences: rest }))
    }
  } else if (all.some((other) => exists(server, other) && named(other, true))) return false
  return release(server, found, isOrphaning ? "orphan" : "foregroundDeletion")
}

const exists = ({ store }: ApiServer, found: Found): boolean =>
  store.get(found.collection, keyOfObject(found.object)) !== undefined

const release = (server: ApiServer, found: Found, finalizer: string): boolean => {
  const finalizers = listAt(found.object, "metadata", "finalizers").filter((name) => name !== finalizer)
  return rewrite(server, found, withMetadata(found.object, { finalizers }))
}

const rewrite = (server: ApiServer, found: Found, next: JsonObject): boolean => {
  const finalizers = listAt(next, "metadata", "finalizers")
  const owners = listAt(next, "metadata", "ownerReferences")
  const object = withMetadata(next, {
    finalizers: finalizers.length === 0 ? undefined : finalizers,
    ownerReferences: owners.length === 0 ? undefined : owners
  })
  const ends = Metadata.isDeleting(object) && !Metadata.hasFinalizers(object)
  server.store.commit(found.collection, keyOfObject(object), ends ? undefined : { ...found, object })
  return true
}

const removeFound = (server: ApiServer, found: Found, nowMillis: number): boolean => {
  if (Metadata.isDeleting(found.object)) return false
  const [group = "", plural = ""] = found.collection.split("/")
  const apiVersion = textAt(found.object, "apiVersion") ?? ""
  const kind = kindOf(server, { group, plural, version: apiVersion.split("/").at(-1) ?? "" })
  if (Result.isFailure(kind)) return false
  const ref = {
    namespace: textAt(found.object, "metadata", "namespace"),
    name: textAt(found.object, "metadata", "name") ?? ""
  }
  return Result.isSuccess(remove(server, kind.success, ref, { uid: uidOf(found.object) }, nowMillis))
}

const emptyNamespaces = (server: ApiServer, nowMillis: number): boolean => {
  let changed = false
  for (const { object } of server.store.entries("/namespaces").filter((found) => Metadata.isDeleting(found.object))) {
    const name = textAt(object, "metadata", "name")
    const inside = everything(server).filter((found) => textAt(found.object, "metadata", "namespace") === name)
    for (const found of inside) changed = removeFound(server, found, nowMillis) || changed
    if (inside.length > 0) continue
    server.store.commit("/namespaces", keyOfObject(object), undefined)
    changed = true
  }
  return changed
}
