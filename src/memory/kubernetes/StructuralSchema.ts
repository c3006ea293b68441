/** The part of OpenAPI v3 that a CRD may use ("structural schema"), and the questions that admission and apply ask of it. */
import type { Json, JsonObject } from "./Json.ts"

export interface ValidationRule {
  readonly rule: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: string
  readonly fieldPath?: string
  readonly optionalOldSelf?: boolean
}

export interface StructuralSchema {
  readonly type?: string
  readonly format?: string
  readonly description?: string
  readonly nullable?: boolean
  readonly default?: Json
  readonly enum?: ReadonlyArray<Json>
  readonly properties?: { readonly [key: string]: StructuralSchema }
  readonly additionalProperties?: StructuralSchema | boolean
  readonly required?: ReadonlyArray<string>
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly items?: StructuralSchema
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
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

/** Nothing is known of the value: maps are granular, lists atomic. */
export const anything: StructuralSchema = { "x-kubernetes-preserve-unknown-fields": true }

/** The schema of one member; undefined when it is not declared. */
export const member = (schema: StructuralSchema, key: string): StructuralSchema | undefined => {
  const property = schema.properties?.[key]
  if (property !== undefined) return property
  const additional = schema.additionalProperties
  if (typeof additional === "object") return additional
  if (additional === true || schema["x-kubernetes-preserve-unknown-fields"] === true) return anything
  return undefined
}

export const isDeclaredField = (schema: StructuralSchema, key: string): boolean => schema.properties?.[key] !== undefined

export const items = (schema: StructuralSchema): StructuralSchema => schema.items ?? anything

export const isAtomicMap = (schema: StructuralSchema): boolean => schema["x-kubernetes-map-type"] === "atomic"

export const listType = (schema: StructuralSchema): "atomic" | "set" | "map" =>
  schema["x-kubernetes-list-type"] ?? "atomic"

/** The keys of one item of a map list, as a JSON object; absent keys count with their default. */
export const itemKeys = (schema: StructuralSchema, item: JsonObject): JsonObject => {
  const keys: Record<string, Json> = {}
  for (const key of schema["x-kubernetes-list-map-keys"] ?? []) {
    const value = item[key] ?? items(schema).properties?.[key]?.default
    if (value !== undefined) keys[key] = value
  }
  return keys
}
