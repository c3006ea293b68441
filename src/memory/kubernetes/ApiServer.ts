/** The state of one in-memory API server, and the questions that every request asks first. */
import { Result, Schema } from "effect"
import type { KubernetesObject, ResourceType } from "../../api/KubernetesObject.ts"
import { Invalid, NotFound, type Reason } from "../../ports/Kubernetes.ts"
import { builtinKinds } from "./BuiltinKinds.ts"
import type { FieldError } from "./FieldError.ts"
import { invalidMessage } from "./FieldError.ts"
import type { Json, JsonObject } from "./Json.ts"
import { at, listAt, objectAt, textAt } from "./Json.ts"
import type { Kind } from "./Kind.ts"
import { apiVersionOf, collectionOf, qualifiedKindOf, wholeObject } from "./Kind.ts"
import { OpenApiSchema } from "./OpenApiSchema.ts"
import type { Rules } from "./Rules.ts"
import { keyOf, type Store } from "./Store.ts"

export interface ApiServer {
  readonly rules: Rules
  readonly store: Store
  /** A number not given before: uids, cluster addresses. */
  readonly allocate: () => number
}

export type Outcome = Result.Result<JsonObject, Reason>

/** A deterministic uid in the form that others expect. */
export const newUid = (server: ApiServer): string =>
  `00000000-0000-4000-8000-${(server.rules.uidIsNewForEachObject ? server.allocate() : 0).toString(16).padStart(12, "0")}`

/** Of what the server serves now: custom kinds come and go with their definitions. */
export const kindOf = (
  server: ApiServer,
  type: Pick<ResourceType<KubernetesObject>, "group" | "plural" | "version">
): Result.Result<Kind, Reason> => {
  const definition = server.store.get(definitions, keyOf(undefined, `${type.plural}.${type.group}`))?.object
  const kind = builtinKinds.get(collectionOf(type)) ?? (definition === undefined ? undefined : customKind(definition))
  return kind !== undefined && kind.version === type.version
    ? Result.succeed(kind)
    : Result.fail(new NotFound({ kindMissing: server.rules.kindMustBeInstalled }))
}

export const definitions = "apiextensions.k8s.io/customresourcedefinitions"

const customKinds = new WeakMap<JsonObject, Kind>()

const customKind = (definition: JsonObject): Kind | undefined => {
  const known = customKinds.get(definition)
  if (known !== undefined) return known
  const version = listAt(definition, "spec", "versions").find((candidate) => at(candidate, "storage") === true)
  const names = objectAt(definition, "spec", "names")
  if (version === undefined || at(version, "served") !== true) return undefined
  const schema = Schema.decodeUnknownSync(OpenApiSchema)(at(version, "schema", "openAPIV3Schema"))
  const kind: Kind = {
    group: textAt(definition, "spec", "group") ?? "",
    version: textAt(version, "name") ?? "",
    plural: textAt(names, "plural") ?? "",
    kind: textAt(names, "kind") ?? "",
    namespaced: textAt(definition, "spec", "scope") === "Namespaced",
    schema: wholeObject(schema),
    hasStatus: at(version, "subresources", "status") !== undefined,
    isCustom: true,
    hasGeneration: true,
    nameIsLabel: false,
    createOnReplace: false,
    statusOnCreate: false
  }
  customKinds.set(definition, kind)
  return kind
}

export const invalid = (
  kind: Kind,
  object: JsonObject,
  errors: ReadonlyArray<FieldError>,
  someRulesUnchecked = false
): Invalid =>
  new Invalid({
    message: invalidMessage(qualifiedKindOf(kind), textAt(object, "metadata", "name") ?? "", errors, someRulesUnchecked)
  })

export const withKind = (kind: Kind, object: JsonObject): JsonObject => {
  const apiVersion = apiVersionOf(kind)
  return object["apiVersion"] === apiVersion && object["kind"] === kind.kind
    ? object
    : { ...object, apiVersion, kind: kind.kind }
}

/** The version that the client read, when it says so. */
export const versionIn = (object: JsonObject): Json | undefined => at(object, "metadata", "resourceVersion")
