/** From what a client wrote to what is stored: pruning, defaults, validation, rules; then the version counters. */
import { Result } from "effect"
import { Conflict, Denied, NotFound, type Reason } from "../../ports/Kubernetes.ts"
import type { ApiServer, Outcome } from "./ApiServer.ts"
import { invalid, withKind } from "./ApiServer.ts"
import { evaluateRules } from "./Cel.ts"
import { addDefaults, pruneObject } from "./Defaults.ts"
import type { FieldError } from "./FieldError.ts"
import type { JsonObject } from "./Json.ts"
import { at, equals, sharingMembers, textAt, withField, withMetadata } from "./Json.ts"
import type { Kind } from "./Kind.ts"
import { resourceOf } from "./Kind.ts"
import * as Metadata from "./Metadata.ts"
import { keyOf, type Stored } from "./Store.ts"
import { validate } from "./Validation.ts"

/** New content may come into a namespace that exists and is not going. */
export const admitNamespace = (
  server: ApiServer,
  kind: Kind,
  namespace: string | undefined,
  name: string
): Result.Result<void, Reason> => {
  if (!kind.namespaced) return Result.void
  if (namespace === undefined || namespace === "") throw new Error(`${kind.plural}/${name}: a namespace must be given`)
  const found = server.store.get("/namespaces", keyOf(undefined, namespace))?.object
  if (found === undefined)
    return server.rules.namespaceMustExist ? Result.fail(new NotFound({ kindMissing: false })) : Result.void
  if (!Metadata.isDeleting(found) || !server.rules.terminatingNamespaceTakesNothingNew) return Result.void
  return Result.fail(
    new Denied({
      status: 403,
      message: `${resourceOf(kind)} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`
    })
  )
}

/** What would be stored, or why not. `status`: written through the status subresource, which CEL rules see too. */
export const admit = (
  server: ApiServer,
  kind: Kind,
  written: JsonObject,
  stored: Stored | undefined,
  claimedUid?: string
): Outcome => {
  const { rules } = server
  const before = stored?.object
  const admitted = stored?.admittedAs === kind ? before : undefined
  const known = rules.undeclaredFieldsArePruned ? pruneObject(written, kind.schema, admitted) : written
  const filled = rules.defaultsAreFilledIn ? addDefaults(known, kind.schema, admitted) : known
  const completing = kind.complete !== undefined && (kind.plural !== "services" || rules.serviceDefaults)
  const complete = completing ? kind.complete(filled, before, server.allocate) : filled
  const whole = Metadata.withoutEmpty(kind, withKind(kind, complete))
  const object = before === undefined ? whole : sharingMembers(whole, before)
  const otherUid = Metadata.otherUid(before, claimedUid)
  const errors = refusals(server, kind, object, before, admitted, otherUid)
  const blocked = errors.some((error) => error.blocksRules)
  const broken =
    kind.isCustom && !blocked && rules.celRulesAreEnforced ? evaluateRules(object, before, kind.schema, admitted) : []
  const all = [...errors, ...broken]
  if (all.length > 0 && all.length === otherUid.length)
    return Result.fail(new Conflict({ message: invalid(kind, object, all).message }))
  return all.length > 0
    ? Result.fail(invalid(kind, object, all, kind.isCustom && blocked))
    : Result.succeed(withGeneration(server, kind, object, before))
}

const refusals = (
  { rules }: ApiServer,
  kind: Kind,
  object: JsonObject,
  before: JsonObject | undefined,
  admitted: JsonObject | undefined,
  otherUid: ReadonlyArray<FieldError>
): ReadonlyArray<FieldError> => {
  const switched: { readonly [plural: string]: boolean } = {
    services: rules.serviceIsValidated,
    leases: rules.leaseIsValidated
  }
  return [
    ...Metadata.refusals(rules, kind, object, admitted),
    ...(before !== undefined && Metadata.isDeleting(before) && rules.noNewFinalizersWhileDeleting
      ? Metadata.newFinalizers(object, before)
      : []),
    ...otherUid,
    ...(rules.schemaIsEnforced ? validate(object, kind.schema, admitted) : []),
    ...(kind.refusals !== undefined && switched[kind.plural] !== false ? kind.refusals(object, before) : [])
  ]
}

/** Counts changes of everything but metadata and status. */
const withGeneration = (
  { rules }: ApiServer,
  kind: Kind,
  object: JsonObject,
  before: JsonObject | undefined
): JsonObject => {
  if (!kind.hasGeneration) return object
  if (before === undefined) return withMetadata(object, { generation: 1 })
  const last = at(before, "metadata", "generation")
  const changed = rules.generationFollowsSpec ? !isSameWish(kind, object, before) : true
  const generation = (typeof last === "number" ? last : 0) + (changed ? 1 : 0)
  return at(object, "metadata", "generation") === generation ? object : withMetadata(object, { generation })
}

const isSameWish = (kind: Kind, object: JsonObject, before: JsonObject): boolean => {
  const isWished = (key: string): boolean => key !== "metadata" && !(kind.hasStatus && key === "status")
  return (
    Object.keys(object).every((key) => !isWished(key) || equals(object[key], before[key])) &&
    Object.keys(before).every((key) => !isWished(key) || object[key] !== undefined)
  )
}

/** Which part of a write counts: a status subresource takes the status alone, the main endpoint all else. */
export const throughEndpoint = (
  { rules }: ApiServer,
  kind: Kind,
  written: JsonObject,
  before: JsonObject,
  subresource: "" | "status"
): JsonObject => {
  if (!kind.hasStatus) return written
  if (subresource === "")
    return rules.mainEndpointKeepsStatus ? withField(written, "status", before["status"]) : written
  if (!rules.statusEndpointKeepsTheRest) return written
  const rest = !kind.isCustom && rules.builtinStatusTakesMetadata ? withClientMetadata(before, written) : before
  return withField(rest, "status", written["status"])
}

/** Built-in kinds take these from a write to their status (measured with Service and Node, 1.36); custom ones do not. */
const withClientMetadata = (before: JsonObject, written: JsonObject): JsonObject =>
  withMetadata(
    before,
    Object.fromEntries(
      ["labels", "annotations", "finalizers", "ownerReferences"].map((key) => [key, at(written, "metadata", key)])
    )
  )

export const nameOf = (object: JsonObject): string => textAt(object, "metadata", "name") ?? ""
