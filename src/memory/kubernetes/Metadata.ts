/** `metadata`: what a client may write, and what the server keeps to itself. */
import type { FieldError } from "./FieldError.ts"
import { fieldError } from "./FieldError.ts"
import type { Json, JsonObject } from "./Json.ts"
import { isObject, listAt, objectAt, textAt, withMetadata } from "./Json.ts"
import type { Kind } from "./Kind.ts"
import type { Rules } from "./Rules.ts"

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/u
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/u
const namePart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/u

/** What is the same as in `admitted` was looked at when that was written. */
export const refusals = (
  rules: Rules,
  kind: Kind,
  object: JsonObject,
  admitted: JsonObject | undefined
): ReadonlyArray<FieldError> => {
  const metadata = objectAt(object, "metadata")
  const known = objectAt(admitted, "metadata")
  const isNew = (key: string): boolean => admitted === undefined || metadata[key] !== known[key]
  return [
    ...(rules.namesAreChecked && isNew("name") ? ofName(kind, textAt(metadata, "name") ?? "") : []),
    ...(rules.labelsAreChecked && isNew("labels") ? ofLabels(objectAt(metadata, "labels")) : []),
    ...(rules.finalizerNamesAreChecked && isNew("finalizers") ? ofFinalizers(listAt(metadata, "finalizers")) : [])
  ]
}

const ofName = (kind: Kind, name: string): ReadonlyArray<FieldError> => {
  if (name === "") return [fieldError("metadata.name", "Required value: name or generateName is required")]
  if (kind.nameIsLabel && name.includes("."))
    return [fieldError("metadata.name", `Invalid value: ${JSON.stringify(name)}: must not contain dots`)]
  const fits = kind.nameIsLabel ? label.test(name) && name.length <= 63 : subdomain.test(name) && name.length <= 253
  return fits
    ? []
    : [
        fieldError(
          "metadata.name",
          `Invalid value: ${JSON.stringify(name)}: a lowercase RFC 1123 ${kind.nameIsLabel ? "label" : "subdomain"} must consist of lower case alphanumeric characters, '-'${kind.nameIsLabel ? "" : " or '.'"}, and must start and end with an alphanumeric character`
        )
      ]
}

/** `[prefix/]name`: the prefix a DNS name, the name at most 63 characters. */
const isQualifiedName = (text: string): boolean => {
  const parts = text.split("/")
  const [prefix, name] = parts.length === 2 ? parts : [undefined, parts[0]]
  if (parts.length > 2 || name === undefined || name.length > 63 || !namePart.test(name)) return false
  return prefix === undefined || (prefix.length <= 253 && subdomain.test(prefix))
}

const ofLabels = (labels: JsonObject): ReadonlyArray<FieldError> =>
  Object.entries(labels).flatMap(([key, value]) => {
    const errors: Array<FieldError> = []
    if (!isQualifiedName(key))
      errors.push(
        fieldError(
          "metadata.labels",
          `Invalid value: ${JSON.stringify(key)}: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
        )
      )
    if (typeof value === "string" && value !== "" && (value.length > 63 || !namePart.test(value)))
      errors.push(
        fieldError(
          "metadata.labels",
          `Invalid value: ${JSON.stringify(value)}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`
        )
      )
    return errors
  })

const standardFinalizers = new Set(["orphan", "foregroundDeletion", "kubernetes"])

const ofFinalizers = (finalizers: ReadonlyArray<Json>): ReadonlyArray<FieldError> =>
  finalizers.flatMap((finalizer, index) =>
    typeof finalizer === "string" &&
    (standardFinalizers.has(finalizer) || (finalizer.includes("/") && isQualifiedName(finalizer)))
      ? []
      : [
          fieldError(
            `metadata.finalizers[${index}]`,
            `Invalid value: ${JSON.stringify(finalizer)}: name is neither a standard finalizer name nor is it fully qualified`
          )
        ]
  )

/**
 * A real server calls another uid `Invalid`. Where nothing else is wrong the port makes it a `Conflict`: the object was
 * deleted and created anew, and the caller must look again.
 */
export const otherUid = (before: JsonObject | undefined, claimed: string | undefined): ReadonlyArray<FieldError> =>
  before === undefined || claimed === undefined || claimed === textAt(before, "metadata", "uid")
    ? []
    : [
        {
          path: "metadata.uid",
          message: `Invalid value: ${JSON.stringify(claimed)}: field is immutable`,
          blocksRules: false
        }
      ]

export const newFinalizers = (object: JsonObject, before: JsonObject): ReadonlyArray<FieldError> => {
  const known = listAt(before, "metadata", "finalizers")
  const added = listAt(object, "metadata", "finalizers").filter((finalizer) => !known.includes(finalizer))
  return added.length === 0
    ? []
    : [
        fieldError(
          "metadata.finalizers",
          `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((finalizer) => JSON.stringify(finalizer)).join(", ")}}`
        )
      ]
}

export const hasFinalizers = (object: JsonObject): boolean => listAt(object, "metadata", "finalizers").length > 0

export const isDeleting = (object: JsonObject): boolean => textAt(object, "metadata", "deletionTimestamp") !== undefined

const identityKeys = ["name", "namespace", "uid", "creationTimestamp", "generation"]
const deletionKeys = ["deletionTimestamp", "deletionGracePeriodSeconds"]
const serverKeys = [...identityKeys, ...deletionKeys]

/** As the client wrote it, but with what only the server decides. */
export const withIdentityOf = (rules: Rules, object: JsonObject, before: JsonObject): JsonObject => {
  const known = objectAt(before, "metadata")
  const kept: Record<string, Json | undefined> = {}
  for (const key of rules.deletionIsFinal ? serverKeys : identityKeys) {
    if (rules.identityIsImmutable || !identityKeys.includes(key)) kept[key] = known[key]
  }
  return withMetadata(object, kept)
}

const emptied = ["labels", "annotations", "finalizers", "ownerReferences"]

const isEmpty = (value: Json): boolean => {
  if (typeof value !== "object" || value === null) return false
  for (const _ in value) return false
  return true
}

/** The API server leaves empty labels, annotations and lists out, whoever wrote them; of its own kinds other fields too. */
export const withoutEmpty = (kind: Kind, object: JsonObject): JsonObject => {
  const metadata = fieldsThat(
    objectAt(object, "metadata"),
    (value, key) => value !== null && !(isEmpty(value) && emptied.includes(key))
  )
  const rest = kind.isCustom ? object : withoutEmptyFields(object)
  return metadata === rest["metadata"] ? rest : { ...rest, metadata }
}

const withoutEmptyFields = (object: JsonObject): JsonObject => {
  const { spec } = object
  const filled = isObject(spec) ? fieldsThat(spec, (value) => !isEmpty(value)) : spec
  const whole = filled === undefined || filled === spec ? object : { ...object, spec: filled }
  return fieldsThat(whole, (value, key) => key === "status" || (key === "spec" && isObject(value)) || !isEmpty(value))
}

/** The same object when all do. */
const fieldsThat = (object: JsonObject, stay: (value: Json, key: string) => boolean): JsonObject => {
  const kept: Record<string, Json> = {}
  let isSame = true
  for (const key of Object.keys(object)) {
    const value = object[key]
    if (value !== undefined && stay(value, key)) kept[key] = value
    else isSame = false
  }
  return isSame ? object : kept
}
