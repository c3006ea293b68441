/** The part of OpenAPI v3 that a CRD may use ("structural schema"), as admission and apply read it. */
import { Schema } from "effect"
import type { Json, JsonObject } from "./Json.ts"

export const ValidationRule = Schema.Struct({
  rule: Schema.String,
  message: Schema.optionalKey(Schema.String),
  fieldPath: Schema.optionalKey(Schema.String),
  optionalOldSelf: Schema.optionalKey(Schema.Boolean)
})
export type ValidationRule = typeof ValidationRule.Type

export interface OpenApiSchema {
  readonly type?: string
  readonly format?: string
  readonly nullable?: boolean
  readonly default?: Json
  readonly enum?: ReadonlyArray<Json>
  readonly properties?: { readonly [key: string]: OpenApiSchema }
  readonly additionalProperties?: OpenApiSchema | boolean
  readonly required?: ReadonlyArray<string>
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly items?: OpenApiSchema
  readonly minItems?: number
  readonly maxItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: boolean
  readonly exclusiveMaximum?: boolean
  readonly multipleOf?: number
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean
  readonly "x-kubernetes-int-or-string"?: boolean
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map"
  readonly "x-kubernetes-list-map-keys"?: ReadonlyArray<string>
  readonly "x-kubernetes-map-type"?: "atomic" | "granular"
  readonly "x-kubernetes-validations"?: ReadonlyArray<ValidationRule>
}

const recursive = Schema.suspend((): Schema.Codec<OpenApiSchema> => OpenApiSchema)
const optional = Schema.optionalKey

/** Of the `openAPIV3Schema` of a stored CRD; annotations such as `description` are dropped. */
export const OpenApiSchema: Schema.Codec<OpenApiSchema> = Schema.Struct({
  type: optional(Schema.String),
  format: optional(Schema.String),
  nullable: optional(Schema.Boolean),
  default: optional(Schema.Json),
  enum: optional(Schema.Array(Schema.Json)),
  properties: optional(Schema.Record(Schema.String, recursive)),
  additionalProperties: optional(Schema.Union([Schema.Boolean, recursive])),
  required: optional(Schema.Array(Schema.String)),
  minProperties: optional(Schema.Finite),
  maxProperties: optional(Schema.Finite),
  items: optional(recursive),
  minItems: optional(Schema.Finite),
  maxItems: optional(Schema.Finite),
  minLength: optional(Schema.Finite),
  maxLength: optional(Schema.Finite),
  pattern: optional(Schema.String),
  minimum: optional(Schema.Finite),
  maximum: optional(Schema.Finite),
  exclusiveMinimum: optional(Schema.Boolean),
  exclusiveMaximum: optional(Schema.Boolean),
  multipleOf: optional(Schema.Finite),
  "x-kubernetes-preserve-unknown-fields": optional(Schema.Boolean),
  "x-kubernetes-int-or-string": optional(Schema.Boolean),
  "x-kubernetes-list-type": optional(Schema.Literals(["atomic", "set", "map"])),
  "x-kubernetes-list-map-keys": optional(Schema.Array(Schema.String)),
  "x-kubernetes-map-type": optional(Schema.Literals(["atomic", "granular"])),
  "x-kubernetes-validations": optional(Schema.Array(ValidationRule))
})

/** Nothing is known of the value: maps are granular, lists atomic. */
export const anything: OpenApiSchema = { "x-kubernetes-preserve-unknown-fields": true }

/** The schema of one member; undefined when it is not declared. */
export const member = (schema: OpenApiSchema, key: string): OpenApiSchema | undefined => {
  const property = schema.properties?.[key]
  if (property !== undefined) return property
  const additional = schema.additionalProperties
  if (typeof additional === "object") return additional
  if (additional === true || schema["x-kubernetes-preserve-unknown-fields"] === true) return anything
  return undefined
}

export const isDeclaredField = (schema: OpenApiSchema, key: string): boolean => schema.properties?.[key] !== undefined

export const items = (schema: OpenApiSchema): OpenApiSchema => schema.items ?? anything

export const isAtomicMap = (schema: OpenApiSchema): boolean => schema["x-kubernetes-map-type"] === "atomic"

export const listType = (schema: OpenApiSchema): "atomic" | "set" | "map" =>
  schema["x-kubernetes-list-type"] ?? "atomic"

/** The keys of one item of a map list, as a JSON object; absent keys count with their default. */
export const itemKeys = (schema: OpenApiSchema, item: JsonObject): JsonObject => {
  const keys: Record<string, Json> = {}
  for (const key of schema["x-kubernetes-list-map-keys"] ?? []) {
    const value = item[key] ?? items(schema).properties?.[key]?.default
    if (value !== undefined) keys[key] = value
  }
  return keys
}
