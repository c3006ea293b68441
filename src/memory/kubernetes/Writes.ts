/** create, replace, patch and apply: each decides what the object becomes, and `store` brings it in. */
import { Result } from "effect"
import type { ApplyOptions, Reason } from "../../ports/Kubernetes.ts"
import { AlreadyExists, Conflict, Invalid, NotFound } from "../../ports/Kubernetes.ts"
import type { ObjectRef } from "../../api/KubernetesObject.ts"
import { admit, admitNamespace, nameOf, throughEndpoint } from "./Admission.ts"
import type { ApiServer, Outcome } from "./ApiServer.ts"
import { invalid, newUid, versionIn } from "./ApiServer.ts"
import { refusalOf } from "./ApplyMerge.ts"
import { fieldError } from "./FieldError.ts"
import { fieldsOf } from "./FieldSet.ts"
import type { Json, JsonObject } from "./Json.ts"
import { at, equals, isObject, objectAt, sharingMembers, textAt, withField, withMetadata } from "./Json.ts"
import type { Kind } from "./Kind.ts"
import { collectionOf, resourceOf } from "./Kind.ts"
import { mergePatch } from "./MergePatch.ts"
import * as Metadata from "./Metadata.ts"
import type { ManagerId, Managers } from "./Ownership.ts"
import * as Ownership from "./Ownership.ts"
import * as Rfc3339 from "./Rfc3339.ts"
import { keyOf, type Stored } from "./Store.ts"

/** Who asks, and when. */
export interface Caller {
  readonly user: string
  readonly nowMillis: number
}

export const create = (server: ApiServer, kind: Kind, object: JsonObject, caller: Caller): Outcome =>
  createOwned(server, kind, object, caller, (created) =>
    Ownership.afterUpdate({}, created, kind.schema, [], updater(server, caller, ""))
  )

const updater = (server: ApiServer, caller: Caller, subresource: "" | "status"): ManagerId => ({
  name: caller.user,
  operation: "Update",
  subresource: ownedThrough(server, subresource)
})

const ownedThrough = ({ rules }: ApiServer, subresource: "" | "status"): "" | "status" =>
  rules.statusAndMainAreOwnedApart ? subresource : ""

const createOwned = (
  server: ApiServer,
  kind: Kind,
  object: JsonObject,
  caller: Caller,
  managersOf: (created: JsonObject) => Managers
): Outcome =>
  Result.gen(function* () {
    const namespace = kind.namespaced ? textAt(object, "metadata", "namespace") : undefined
    yield* admitNamespace(server, kind, namespace, nameOf(object))
    const timestamp = server.rules.serverSetsCreationTimestamp
      ? Rfc3339.fromMillis(caller.nowMillis)
      : at(object, "metadata", "creationTimestamp")
    const identified = withMetadata(object, {
      namespace,
      uid: newUid(server),
      creationTimestamp: timestamp,
      deletionTimestamp: undefined,
      deletionGracePeriodSeconds: undefined,
      generation: undefined,
      resourceVersion: undefined
    })
    const endpoint = kind.statusOnCreate ? identified : throughEndpoint(server, kind, identified, {}, "")
    const admitted = yield* admit(server, kind, endpoint, undefined)
    const key = keyOf(namespace, nameOf(object))
    if (server.rules.namesAreUnique && server.store.get(collectionOf(kind), key) !== undefined)
      return yield* Result.fail(new AlreadyExists())
    const stored = { object: admitted, managers: managersOf(admitted), admittedAs: kind }
    return server.store.commit(collectionOf(kind), key, stored)
  })

export const find = (server: ApiServer, kind: Kind, ref: ObjectRef): Result.Result<Stored, Reason> => {
  const stored = server.store.get(collectionOf(kind), keyOf(kind.namespaced ? ref.namespace : undefined, ref.name))
  return stored === undefined ? Result.fail(new NotFound({ kindMissing: false })) : Result.succeed(stored)
}

export const replace = (server: ApiServer, kind: Kind, object: JsonObject, caller: Caller): Outcome =>
  Result.gen(function* () {
    const { rules } = server
    const uid = textAt(object, "metadata", "uid")
    if (uid === undefined || versionIn(object) === undefined)
      return yield* Result.fail(
        new Invalid({ message: `${resourceOf(kind)} "${nameOf(object)}": a replace must give uid and resourceVersion` })
      )
    const found = find(server, kind, { namespace: textAt(object, "metadata", "namespace"), name: nameOf(object) })
    // A kind that PUT may create has no "not found": the uid is what does not fit (Lease, 1.36).
    if (Result.isFailure(found) && kind.createOnReplace) return yield* Result.fail(uidConflict(kind, object))
    const stored = yield* found
    if (rules.replaceComparesUid && uid !== at(stored.object, "metadata", "uid"))
      return yield* Result.fail(uidConflict(kind, object))
    if (rules.replaceComparesVersion && !equals(versionIn(object), versionIn(stored.object)))
      return yield* Result.fail(versionConflict(kind, object))
    const written = withMetadata(object, { uid: undefined })
    return yield* update(server, kind, stored, written, "", updateManagers(server, kind, stored, caller, ""))
  })

export const patch = (
  server: ApiServer,
  kind: Kind,
  ref: ObjectRef,
  body: JsonObject,
  subresource: "" | "status",
  caller: Caller
): Outcome =>
  Result.gen(function* () {
    const stored = yield* findEndpoint(server, kind, ref, subresource)
    yield* compareName(stored.object, body)
    yield* compareVersion(server, kind, stored.object, body)
    const managers = updateManagers(server, kind, stored, caller, subresource)
    return yield* update(server, kind, stored, mergePatch(stored.object, body), subresource, managers)
  })

const findEndpoint = (
  server: ApiServer,
  kind: Kind,
  ref: ObjectRef,
  subresource: "" | "status"
): Result.Result<Stored, Reason> =>
  subresource === "status" && !kind.hasStatus
    ? Result.fail(new NotFound({ kindMissing: false }))
    : find(server, kind, ref)

const compareVersion = (
  { rules }: ApiServer,
  kind: Kind,
  before: JsonObject,
  written: JsonObject
): Result.Result<void, Reason> =>
  versionIn(written) === undefined || !rules.patchComparesVersion || equals(versionIn(written), versionIn(before))
    ? Result.void
    : Result.fail(versionConflict(kind, before))

const compareName = (before: JsonObject, written: JsonObject): Result.Result<void, Reason> =>
  [undefined, nameOf(before)].includes(textAt(written, "metadata", "name"))
    ? Result.void
    : Result.fail(
        new Invalid({
          message: `the name of the object (${nameOf(written)}) does not match the name on the URL (${nameOf(before)})`
        })
      )

type ManagersAfter = (object: JsonObject) => Managers

const updateManagers =
  (server: ApiServer, kind: Kind, stored: Stored, caller: Caller, subresource: "" | "status"): ManagersAfter =>
  (object) =>
    server.rules.updatesOwnFields
      ? Ownership.afterUpdate(stored.object, object, kind.schema, stored.managers, updater(server, caller, subresource))
      : stored.managers

/** The end of every write to an object that exists. */
const update = (
  server: ApiServer,
  kind: Kind,
  stored: Stored,
  written: JsonObject,
  subresource: "" | "status",
  managersAfter: ManagersAfter
): Outcome =>
  Result.gen(function* () {
    const { rules, store } = server
    const before = stored.object
    const endpoint = throughEndpoint(server, kind, written, before, subresource)
    const identified = sharingMembers(Metadata.withIdentityOf(rules, endpoint, before), before)
    // Measured, 1.36: the status of a custom resource takes its metadata from the stored object before anything compares it.
    const takesAnyUid = kind.isCustom && subresource === "status" && rules.customStatusTakesAnyUid
    const claimed = takesAnyUid ? undefined : textAt(written, "metadata", "uid")
    const object = yield* admit(server, kind, identified, stored, rules.patchComparesUid ? claimed : undefined)
    const managers = managersAfter(object)
    const key = keyOf(textAt(before, "metadata", "namespace"), nameOf(before))
    const isLast = Metadata.isDeleting(before) && !Metadata.hasFinalizers(object) && Metadata.hasFinalizers(before)
    if (isLast && rules.lastFinalizerEndsDeletion) {
      store.commit(collectionOf(kind), key, undefined)
      return object
    }
    const unchanged = Ownership.sameManagers(managers, stored.managers) && sameObject(object, before)
    if (unchanged && rules.noChangeKeepsVersion) return before
    return store.commit(collectionOf(kind), key, { object, managers, admittedAs: kind })
  })

/** But for the version, which the server gives. */
const sameObject = (a: JsonObject, b: JsonObject): boolean =>
  sameBut("metadata", a, b) && sameBut("resourceVersion", objectAt(a, "metadata"), objectAt(b, "metadata"))

const sameBut = (left: string, a: JsonObject, b: JsonObject): boolean =>
  Object.keys(a).every((key) => key === left || equals(a[key], b[key])) &&
  Object.keys(b).every((key) => key === left || Object.hasOwn(a, key))

export const apply = (
  server: ApiServer,
  kind: Kind,
  applied: JsonObject,
  options: ApplyOptions,
  caller: Caller
): Outcome =>
  Result.gen(function* () {
    const { rules } = server
    const subresource = options.subresource ?? ""
    const config = appliedThrough(kind, applied, subresource)
    const actor: ManagerId = {
      name: options.fieldManager,
      operation: "Apply",
      subresource: ownedThrough(server, subresource)
    }
    const ref = { namespace: textAt(applied, "metadata", "namespace"), name: nameOf(applied) }
    const found = findEndpoint(server, kind, ref, subresource)
    // A kind that PUT may create is created by an apply to its status too (Service, 1.36).
    const isCreate =
      Result.isFailure(found) && (subresource === "" || (kind.createOnReplace && rules.applyToStatusMayCreate))
    if (Result.isFailure(found) && !isCreate) return yield* Result.fail(found.failure)
    const refusal = rules.applyRefusesUndeclaredFields ? refusalOf(applied, kind.schema) : undefined
    if (refusal !== undefined)
      return yield* Result.fail(new Invalid({ message: `failed to create typed patch object: ${refusal}` }))
    if (isCreate) {
      if (at(applied, "metadata", "uid") !== undefined && rules.applyNeverRecreatesAUid)
        return yield* Result.fail(uidConflict(kind, applied))
      const whole = appliedThrough(kind, applied, "")
      return yield* createOwned(server, kind, whole, caller, () => [{ ...actor, fields: fieldsOf(whole, kind.schema) }])
    }
    const stored = yield* found
    yield* compareVersion(server, kind, stored.object, applied)
    const force = options.force === true && rules.forceTakesOwnership
    const merged = yield* Result.mapError(
      Ownership.apply(rules, stored.object, config, kind.schema, stored.managers, actor, force),
      (message) => new Conflict({ message })
    )
    if (kind.isCustom && isEmptied(stored.object, config, merged.object) && rules.emptiedStatusIsNull)
      return yield* Result.fail(invalid(kind, applied, [nullStatus], true))
    const uid = at(applied, "metadata", "uid")
    const written = uid === undefined ? merged.object : withMetadata(merged.object, { uid })
    return yield* update(server, kind, stored, written, subresource, () => merged.managers)
  })

/**
 * A real server makes null of a map that is applied as `{}` and loses its last field by that, and then refuses the null
 * (measured, 1.36). To let go of everything, leave `status` out.
 */
const isEmptied = (before: JsonObject, applied: JsonObject, after: JsonObject): boolean =>
  isObject(applied["status"]) &&
  Object.keys(applied["status"]).length === 0 &&
  Object.keys(objectAt(before, "status")).length > 0 &&
  after["status"] === undefined

const nullStatus = fieldError("status", 'Invalid value: "null":  in body must be of type object: "null"')

/** What the endpoint does not write is not owned through it either. */
const appliedThrough = (kind: Kind, applied: JsonObject, subresource: "" | "status"): JsonObject => {
  if (!kind.hasStatus) return applied
  if (subresource === "") return withField(applied, "status", undefined)
  const status: JsonObject = applied["status"] === undefined ? {} : { status: applied["status"] }
  return kind.isCustom ? status : { metadata: objectAt(applied, "metadata"), ...status }
}

const uidConflict = (kind: Kind, object: JsonObject): Conflict =>
  refused(kind, object, "the object with this uid is gone: look again before you write")

const versionConflict = (kind: Kind, object: JsonObject): Conflict =>
  refused(kind, object, "the object has been modified; please apply your changes to the latest version and try again")

const refused = (kind: Kind, object: JsonObject, why: string): Conflict =>
  new Conflict({
    message: `Operation cannot be fulfilled on ${resourceOf(kind)} "${nameOf(object)}": ${why}`
  })

export const preconditionFailed = (kind: Kind, object: JsonObject, field: string, wanted: Json): Conflict =>
  refused(kind, object, `the ${field} in the precondition (${String(wanted)}) does not match the ${field} in record`)
