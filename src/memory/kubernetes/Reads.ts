/** get and list, and what a selection means to a watch. */
import { Result } from "effect"
import type { Reason, Selection } from "../../ports/Kubernetes.ts"
import { Expired, Invalid } from "../../ports/Kubernetes.ts"
import type { ApiServer } from "./ApiServer.ts"
import type { JsonObject } from "./Json.ts"
import { textAt } from "./Json.ts"
import type { Kind } from "./Kind.ts"
import { collectionOf } from "./Kind.ts"
import { type Matcher, parseFields, parseLabels, requiredLabel } from "./Selectors.ts"
import { type Change, keyOfObject } from "./Store.ts"

const matcherOf = ({ rules }: ApiServer, selection: Selection): Result.Result<Matcher, Reason> => {
  const labels = parseLabels(selection.labelSelector ?? "")
  const fields = parseFields(selection.fieldSelector ?? "")
  const problem = Result.isFailure(labels) ? labels.failure : Result.isFailure(fields) ? fields.failure : undefined
  if (problem !== undefined && rules.selectorsAreParsed) return Result.fail(new Invalid({ message: problem }))
  const byLabels = rules.labelSelectorsFilter ? Result.getOrElse(labels, () => everything) : everything
  const byFields = rules.fieldSelectorsFilter ? Result.getOrElse(fields, () => everything) : everything
  return Result.succeed((object) => byLabels(object) && byFields(object))
}

const everything: Matcher = () => true

const inNamespace =
  (namespace: string | undefined): Matcher =>
  (object) =>
    namespace === undefined || textAt(object, "metadata", "namespace") === namespace

/** By namespace and name, as etcd has them. */
export const list = (
  server: ApiServer,
  kind: Kind,
  selection: Selection
): Result.Result<ReadonlyArray<JsonObject>, Reason> =>
  Result.map(matcherOf(server, selection), (matches) => {
    const here = inNamespace(selection.namespace)
    const found = server.store
      .entries(collectionOf(kind))
      .map(({ object }) => object)
      .filter((object) => here(object) && matches(object))
    return server.rules.listIsSorted ? sorted(found) : found.toReversed()
  })

const sorted = (objects: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> =>
  objects
    .map((object) => ({ key: keyOfObject(object), object }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ object }) => object)

export interface ObjectEvent {
  readonly type: "Added" | "Modified" | "Deleted"
  readonly object: JsonObject
}

/** What a watcher with this selection sees of a change: entering it is `Added`, leaving it `Deleted`. */
export const eventsOf = (
  server: ApiServer,
  kind: Kind,
  selection: Selection
): Result.Result<(change: Change) => ObjectEvent | undefined, Reason> =>
  Result.map(matcherOf(server, selection), (matches) => {
    const collection = collectionOf(kind)
    const here = server.rules.watchIsOfOneNamespace ? inNamespace(selection.namespace) : everything
    const selects = (object: JsonObject | undefined): boolean =>
      object !== undefined && here(object) && (matches(object) || !server.rules.selectionChangesAreAddedAndDeleted)
    return (change) => {
      if (change.collection !== collection) return undefined
      const before = selects(change.before)
      const after = selects(change.after)
      if (!before && !after) return undefined
      return { type: before ? (after ? "Modified" : "Deleted") : "Added", object: change.object }
    }
  })

/** A label without which no change concerns a watch with this selection; undefined: any may. */
export const interestOf = ({ rules }: ApiServer, { labelSelector = "" }: Selection): string | undefined =>
  rules.labelSelectorsFilter && rules.selectionChangesAreAddedAndDeleted ? requiredLabel(labelSelector) : undefined

/** Changes that a watch from `resourceVersion` has missed. */
export const missed = (
  { rules, store }: ApiServer,
  resourceVersion: string
): Result.Result<ReadonlyArray<Change>, Reason> => {
  const from = Number(resourceVersion)
  if (!Number.isSafeInteger(from))
    return Result.fail(new Invalid({ message: `resourceVersion: Invalid value: "${resourceVersion}": not a number` }))
  const changes = store.changesAfter(rules.watchStartsAfterVersion ? from : from - 1)
  if (changes === undefined && rules.oldVersionsExpire) return Result.fail(new Expired())
  return Result.succeed(rules.watchReplaysHistory ? (changes ?? []) : [])
}
