/** Field ownership (KEP-555): who set which field, by manager, operation and subresource. */
import { Result } from "effect"
import { mergeApplied } from "./ApplyMerge.ts"
import type { FieldSet } from "./FieldSet.ts"
import { compare, fieldsOf, removeFields, render, withNamedAncestors } from "./FieldSet.ts"
import type { Json, JsonObject } from "./Json.ts"
import { isObject } from "./Json.ts"
import type { Rules } from "./Rules.ts"
import type { OpenApiSchema } from "./OpenApiSchema.ts"

export interface ManagerId {
  readonly name: string
  /** Equal names are two managers, one that applies and one that updates. */
  readonly operation: "Apply" | "Update"
  readonly subresource: "" | "status"
}

export interface Manager extends ManagerId {
  readonly fields: FieldSet
}

export type Managers = ReadonlyArray<Manager>

export const sameManagers = (a: Managers, b: Managers): boolean =>
  a === b ||
  (a.length === b.length &&
    a.every((manager) => {
      const other = b.find((candidate) => isSame(candidate, manager))
      return other !== undefined && sameFields(manager.fields, other.fields)
    }))

const isSame = (a: ManagerId, b: ManagerId): boolean =>
  a.name === b.name && a.operation === b.operation && a.subresource === b.subresource

const sameFields = (a: FieldSet, b: FieldSet): boolean => a === b || (a.size === b.size && hasAll(a, b))

const hasAll = (all: FieldSet, fields: Iterable<string>): boolean => {
  for (const field of fields) if (!all.has(field)) return false
  return true
}

const hasNone = (all: FieldSet, fields: Iterable<string>): boolean => {
  for (const field of fields) if (all.has(field)) return false
  return true
}

/** After a create, replace or patch: the actor owns what it changed, and nobody what is gone. */
export const afterUpdate = (
  before: JsonObject,
  after: JsonObject,
  schema: OpenApiSchema,
  managers: Managers,
  actor: ManagerId
): Managers => {
  const { set, removed } = compare(before, after, schema)
  if (set.length === 0 && removed.length === 0) return managers
  const gone = new Set([...set, ...removed])
  const own = managers.find((manager) => isSame(manager, actor))?.fields ?? new Set<string>()
  const isRewrite = removed.length === 0 && hasAll(own, set)
  if (isRewrite && managers.every((manager) => isSame(manager, actor) || hasNone(manager.fields, gone))) return managers
  const others = managers
    .filter((manager) => !isSame(manager, actor))
    .map((manager) => ({ ...manager, fields: without(manager.fields, gone) }))
  return [...others, { ...actor, fields: new Set([...without(own, new Set(removed)), ...set]) }].filter(
    (manager) => manager.fields.size > 0
  )
}

const without = (fields: FieldSet, gone: FieldSet): FieldSet =>
  hasNone(fields, gone) ? fields : new Set([...fields].filter((path) => !gone.has(path)))

export interface Applied {
  readonly object: JsonObject
  readonly managers: Managers
}

/** Merges what `actor` applies, removes what it no longer applies and nobody else owns; a conflict is a message. */
export const apply = (
  rules: Rules,
  live: JsonObject,
  applied: JsonObject,
  schema: OpenApiSchema,
  managers: Managers,
  actor: ManagerId,
  force: boolean
): Result.Result<Applied, string> => {
  const last = managers.find((manager) => isSame(manager, actor))?.fields ?? new Set<string>()
  const others = managers.filter((manager) => !isSame(manager, actor))
  const own = fieldsOf(applied, schema)
  const merged = mergeApplied(live, applied, schema)
  const object = rules.applyRemovesWhatIsLeftOut
    ? prune(merged, schema, last, [...others, { fields: own }], rules)
    : merged
  const { set, removed } = compare(live, object, schema)
  const conflicts = others
    .map((manager) => ({ manager, paths: set.filter((path) => manager.fields.has(path)) }))
    .filter(({ paths }) => paths.length > 0)
  if (conflicts.length > 0 && !force && rules.applyConflictsWithOtherManagers) return Result.fail(describe(conflicts))
  const gone = new Set([...set, ...removed])
  const rest = others.map((manager) => ({ ...manager, fields: without(manager.fields, gone) }))
  return Result.succeed({
    object,
    managers: [...rest, { ...actor, fields: own }].filter((manager) => manager.fields.size > 0)
  })
}

/** A container goes with its last owned field, even when it holds fields that nobody owns (as upstream `prune` does). */
const prune = (
  merged: JsonObject,
  schema: OpenApiSchema,
  last: FieldSet,
  owners: ReadonlyArray<{ readonly fields: FieldSet }>,
  rules: Rules
): JsonObject => {
  // Most applies name again what they named before: nothing can be left over.
  if (hasAll(owners.at(-1)?.fields ?? new Set(), last)) return merged
  const owned = rules.sharedFieldsStay
    ? withNamedAncestors(
        owners.flatMap(({ fields }) => [...fields]),
        schema
      )
    : withNamedAncestors(owners.at(-1)?.fields ?? [], schema)
  const left = without(withNamedAncestors(last, schema), owned)
  if (left.size === 0) return merged
  const rest: Json | undefined = removeFields(merged, schema, left)
  return isObject(rest) ? rest : {}
}

const describe = (
  conflicts: ReadonlyArray<{ readonly manager: Manager; readonly paths: ReadonlyArray<string> }>
): string => {
  const count = conflicts.reduce((sum, { paths }) => sum + paths.length, 0)
  const each = conflicts.map(({ manager, paths }) => {
    const subresource = manager.subresource === "" ? "" : ` with subresource "${manager.subresource}"`
    return `conflict with "${manager.name}"${subresource}: ${paths.map(render).toSorted().join(", ")}`
  })
  return `Apply failed with ${count} ${count === 1 ? "conflict" : "conflicts"}: ${each.join("; ")}`
}
