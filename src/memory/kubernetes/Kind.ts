/** What the server knows of a kind: how it is addressed, its schema, and what it does beyond the schema. */
import type { ResourceType, KubernetesObject } from "../../api/KubernetesObject.ts"
import type { FieldError } from "./FieldError.ts"
import type { JsonObject } from "./Json.ts"
import type { OpenApiSchema } from "./OpenApiSchema.ts"

export interface Kind {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  /** Of the whole object. */
  readonly schema: OpenApiSchema
  /** `status` is a subresource: the main endpoint does not write it. */
  readonly hasStatus: boolean
  readonly isCustom: boolean
  readonly hasGeneration: boolean
  /** Names of some kinds become DNS labels and may hold no dot. */
  readonly nameIsLabel: boolean
  /** PUT of an absent object creates it. */
  readonly createOnReplace: boolean
  /** A create may bring a status (Node). */
  readonly statusOnCreate: boolean
  /** Fills in what the server decides; `before` is absent on create. */
  readonly complete?: (object: JsonObject, before: JsonObject | undefined, allocate: () => number) => JsonObject
  readonly refusals?: (object: JsonObject, before: JsonObject | undefined) => ReadonlyArray<FieldError>
}

export const collectionOf = (type: { readonly group: string; readonly plural: string }): string =>
  `${type.group}/${type.plural}`

export const apiVersionOf = (type: Pick<ResourceType<KubernetesObject>, "group" | "version">): string =>
  type.group === "" ? type.version : `${type.group}/${type.version}`

/** `services`, `ipallocations.loadbalancing.plenus.io`: as the server's messages name a resource. */
export const resourceOf = (kind: Kind): string => (kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`)

/** `Service`, `IPAllocation.loadbalancing.plenus.io`. */
export const qualifiedKindOf = (kind: Kind): string => (kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`)

const text: OpenApiSchema = { type: "string" }
const texts: OpenApiSchema = { type: "object", additionalProperties: text }

/** `metadata` of every kind; custom resources declare it as a bare object. */
const metadata: OpenApiSchema = {
  type: "object",
  properties: {
    ...Object.fromEntries(
      ["name", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp"].map((key) => [
        key,
        text
      ])
    ),
    generation: { type: "integer" },
    deletionGracePeriodSeconds: { type: "integer" },
    labels: texts,
    annotations: texts,
    finalizers: { type: "array", items: text, "x-kubernetes-list-type": "set" },
    ownerReferences: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["uid"],
      items: {
        type: "object",
        properties: {
          apiVersion: text,
          kind: text,
          name: text,
          uid: text,
          controller: { type: "boolean" },
          blockOwnerDeletion: { type: "boolean" }
        }
      }
    }
  }
}

export const wholeObject = (schema: OpenApiSchema): OpenApiSchema => ({
  ...schema,
  type: "object",
  properties: { ...schema.properties, apiVersion: text, kind: text, metadata }
})
