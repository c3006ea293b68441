/**
 * Objects that this version cannot decode, such as one of a newer version: an event on the object says which field, and
 * everything else goes on. What such an object stood for is left alone until it can be read again.
 */
import { Effect } from "effect"
import type { KubernetesObject } from "../api/KubernetesObject.ts"
import { apiVersion } from "../api/Names.ts"
import type { Reflector } from "../reconcile/Reflector.ts"
import type { Outcome } from "../reconcile/WorkQueue.ts"
import { Caches } from "./Caches.ts"
import { Events } from "./Events.ts"

export const keyOf = (plural: string, key: string): string => `${plural}/${key}`

/** The decoder puts each path on a line of its own, as `["spec"]["allocations"][0]`; users know `spec.allocations[0]`. */
export const sentence = (message: string): string =>
  message
    .replaceAll(/\s+at ((\["[^"]+"\]|\[\d+\])+)/g, (_, path: string) => {
      return ` at ${path.replaceAll(/\["([^"]+)"\]/g, ".$1").replace(/^\./, "")}`
    })
    .replaceAll(/\s*\n\s*/g, "; ")

interface Watched {
  readonly apiVersion: string
  readonly kind: string
  readonly cache: Pick<Reflector<KubernetesObject>, "undecodable">
}

/** By plural: the kinds on whose objects people look for events. */
export const watched = (caches: Caches["Service"]): ReadonlyMap<string, Watched> =>
  new Map([
    ["services", { apiVersion: "v1", kind: "Service", cache: caches.services }],
    ["ipallocations", { apiVersion, kind: "IPAllocation", cache: caches.allocations }],
    ["persistentippools", { apiVersion, kind: "PersistentIPPool", cache: caches.persistentPools }],
    ["ephemeralippools", { apiVersion, kind: "EphemeralIPPool", cache: caches.ephemeralPools }],
    ["nodes", { apiVersion: "v1", kind: "Node", cache: caches.nodes }]
  ])

/** Once per content, for as long as it cannot be read: a relist tells nothing again. */
export const step = (isLeader: Effect.Effect<boolean>) => {
  const told = new Map<string, string>()
  return Effect.fnUntraced(function* (key: string): Effect.fn.Return<Outcome, never, Caches | Events> {
    const slash = key.indexOf("/")
    const found = watched(yield* Caches).get(key.slice(0, slash))
    const unreadable = found?.cache.undecodable.get(key.slice(slash + 1))
    if (found === undefined || unreadable === undefined) {
      told.delete(key)
      return "settled"
    }
    if (!(yield* isLeader)) return "settled"
    const { metadata } = unreadable
    const content = `${metadata.uid ?? ""} ${unreadable.message}`
    if (told.get(key) === content) return "settled"
    told.set(key, content)
    const message =
      `${found.kind} ${key.slice(slash + 1)} cannot be read by this version: ${sentence(unreadable.message)}. ` +
      "What it granted stays as it is. Correct the field, or upgrade."
    yield* Effect.logWarning("unreadable object").pipe(Effect.annotateLogs({ object: key, message }))
    const events = yield* Events
    yield* events.tell({
      type: "Warning",
      reason: "Unreadable",
      message,
      regarding: {
        apiVersion: found.apiVersion,
        kind: found.kind,
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid ?? ""
      }
    })
    return "settled"
  })
}
