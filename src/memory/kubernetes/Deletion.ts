/** delete: at once, or held by finalizers. What collects dependents and empties namespaces is in `Controllers.ts`. */
import { Result } from "effect"
import type { ObjectRef } from "../../api/KubernetesObject.ts"
import type { DeleteOptions, Reason } from "../../ports/Kubernetes.ts"
import { Denied } from "../../ports/Kubernetes.ts"
import type { ApiServer } from "./ApiServer.ts"
import { definitions, kindOf, versionIn } from "./ApiServer.ts"
import type { JsonObject } from "./Json.ts"
import { at, equals, listAt, objectAt, textAt, withMetadata } from "./Json.ts"
import type { Kind } from "./Kind.ts"
import { collectionOf } from "./Kind.ts"
import * as Metadata from "./Metadata.ts"
import * as Rfc3339 from "./Rfc3339.ts"
import { keyOfObject, type Stored } from "./Store.ts"
import { find, preconditionFailed } from "./Writes.ts"

export const remove = (
  server: ApiServer,
  kind: Kind,
  ref: ObjectRef,
  options: DeleteOptions,
  nowMillis: number
): Result.Result<void, Reason> =>
  Result.gen(function* () {
    const { rules } = server
    const stored = yield* find(server, kind, ref)
    const { object } = stored
    if (options.uid !== undefined && rules.deleteComparesUid && !equals(options.uid, at(object, "metadata", "uid")))
      return yield* Result.fail(preconditionFailed(kind, object, "UID", options.uid))
    const version = options.resourceVersion
    if (version !== undefined && rules.deleteComparesVersion && !equals(version, versionIn(object)))
      return yield* Result.fail(preconditionFailed(kind, object, "ResourceVersion", version))
    if (kind.plural === "namespaces" && immortal.has(ref.name))
      return yield* Result.fail(
        new Denied({ status: 403, message: `namespaces "${ref.name}" is forbidden: this namespace may not be deleted` })
      )
    removeStored(server, kind, stored, options.propagation ?? "Background", nowMillis)
    return undefined
  })

const immortal = new Set(["default", "kube-system", "kube-public"])

const removeStored = (
  server: ApiServer,
  kind: Kind,
  stored: Stored,
  propagation: "Background" | "Foreground" | "Orphan",
  nowMillis: number
): void => {
  const { rules, store } = server
  const counts = rules.propagationHoldsTheOwner && (rules.lastPropagationCounts || !Metadata.isDeleting(stored.object))
  const held = counts ? withPropagation(stored.object, propagation) : stored.object
  const isNamespace = kind.plural === "namespaces" && rules.namespaceLingersWhileTerminating
  const lingers = (Metadata.hasFinalizers(held) && rules.finalizersHoldDeletion) || isNamespace
  const key = keyOfObject(stored.object)
  if (!lingers) {
    if (collectionOf(kind) === definitions) removeInstances(server, stored.object)
    store.commit(collectionOf(kind), key, undefined)
  } else if (!Metadata.isDeleting(stored.object) || !equals(held, stored.object)) {
    const object = markedDeleting(kind, held, nowMillis)
    store.commit(collectionOf(kind), key, { object, managers: stored.managers })
  }
}

/** Each delete says anew what holds the owner: the last one counts, also when the deletion has begun (measured, 1.36). */
const withPropagation = (object: JsonObject, propagation: "Background" | "Foreground" | "Orphan"): JsonObject => {
  const own = listAt(object, "metadata", "finalizers").filter((name) => name !== foreground && name !== orphan)
  const added = propagation === "Foreground" ? [foreground] : propagation === "Orphan" ? [orphan] : []
  const finalizers = [...own, ...added]
  return withMetadata(object, { finalizers: finalizers.length === 0 ? undefined : finalizers })
}

const foreground = "foregroundDeletion"
const orphan = "orphan"

const markedDeleting = (kind: Kind, object: JsonObject, nowMillis: number): JsonObject => {
  const generation = at(object, "metadata", "generation")
  const marked = Metadata.isDeleting(object)
    ? object
    : withMetadata(object, {
        deletionTimestamp: Rfc3339.fromMillis(nowMillis),
        ...(kind.plural === "namespaces" ? {} : { deletionGracePeriodSeconds: 0 }),
        ...(typeof generation === "number" ? { generation: generation + 1 } : {})
      })
  return kind.plural === "namespaces"
    ? { ...marked, status: { ...objectAt(marked, "status"), phase: "Terminating" } }
    : marked
}

/** A kind that is no longer served takes its objects along; finalizers do not help them when nobody can write them. */
const removeInstances = (server: ApiServer, definition: JsonObject): void => {
  const group = textAt(definition, "spec", "group") ?? ""
  const plural = textAt(definition, "spec", "names", "plural") ?? ""
  const version = textAt(listAt(definition, "spec", "versions")[0], "name") ?? ""
  if (Result.isFailure(kindOf(server, { group, plural, version }))) return
  const collection = collectionOf({ group, plural })
  for (const { object } of server.store.entries(collection))
    server.store.commit(collection, keyOfObject(object), undefined)
}
