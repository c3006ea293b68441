/** OpenAPI validation of a custom resource, with the words of kube-apiserver 1.36. */
import type { FieldError } from "./FieldError.ts"
import type { Json, JsonObject } from "./Json.ts"
import { equals, isList, isObject } from "./Json.ts"
import type { OpenApiSchema } from "./OpenApiSchema.ts"
import { itemKeys, items, listType, member } from "./OpenApiSchema.ts"

type Errors = Array<FieldError>

/** Parts of `admitted`, in which this schema found nothing, are not looked at again. */
export const validate = (value: Json, schema: OpenApiSchema, admitted?: Json): ReadonlyArray<FieldError> => {
  const errors: Errors = []
  check(value, schema, "", errors, admitted)
  return errors
}

/** One list for the whole object, and nothing allocated for what is right: this runs over every field of every write. */
const check = (value: Json, schema: OpenApiSchema, path: string, errors: Errors, admitted?: Json): void => {
  if (value === admitted || (value === null && schema.nullable === true)) return
  const typeError = wrongType(value, schema, path)
  if (typeError !== undefined) return void errors.push(typeError)
  if (schema.enum !== undefined) errors.push(...ofEnum(value, schema.enum, path))
  if (typeof value === "string") ofString(value, schema, path, errors)
  else if (typeof value === "number") ofNumber(value, schema, path, errors)
  else if (isList(value)) ofList(value, schema, path, errors)
  else if (isObject(value)) ofObject(value, schema, path, errors, isObject(admitted) ? admitted : noMembers)
}

const noMembers: JsonObject = {}

const child = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`)

const jsonType = (value: Json): string => {
  if (value === null) return "null"
  if (isList(value)) return "array"
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number"
  return typeof value
}

const wrongType = (value: Json, schema: OpenApiSchema, path: string): FieldError | undefined => {
  const found = jsonType(value)
  if (schema["x-kubernetes-int-or-string"] === true)
    return found === "integer" || found === "string" ? undefined : typeError(path, "integer,string", found)
  if (schema.type === undefined || schema.type === found) return undefined
  if (schema.type === "number" && found === "integer") return undefined
  return typeError(path, schema.type, found)
}

const typeError = (path: string, wanted: string, found: string): FieldError => ({
  path,
  message: `Invalid value: ${JSON.stringify(found)}: ${path} in body must be of type ${wanted}: ${JSON.stringify(found)}`,
  blocksRules: true
})

const ofEnum = (value: Json, supported: ReadonlyArray<Json>, path: string): ReadonlyArray<FieldError> =>
  supported.some((allowed) => equals(allowed, value))
    ? []
    : [
        {
          path,
          message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((allowed) => JSON.stringify(allowed)).join(", ")}`,
          blocksRules: true
        }
      ]

const ofString = (value: string, schema: OpenApiSchema, path: string, errors: Errors): void => {
  if (schema.maxLength !== undefined && lengthOf(value) > schema.maxLength)
    errors.push({ path, message: `Too long: may not be more than ${schema.maxLength} bytes`, blocksRules: true })
  if (schema.minLength !== undefined && lengthOf(value) < schema.minLength)
    errors.push(invalid(path, value, `should be at least ${schema.minLength} chars long`))
  if (schema.pattern !== undefined && !patternOf(schema.pattern).test(value))
    errors.push(invalid(path, value, `should match '${schema.pattern}'`))
  if (schema.format === "date-time" && !dateTime.test(value))
    errors.push(invalid(path, value, `must be of type date-time: ${JSON.stringify(value)}`))
}

/** In code points. */
const lengthOf = (value: string): number => [...value].length

/** RFC 3339, section 5.6. */
const dateTime = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/

const patterns = new Map<string, RegExp>()

const patternOf = (pattern: string): RegExp => {
  const known = patterns.get(pattern)
  if (known !== undefined) return known
  const compiled = new RegExp(pattern, "u")
  patterns.set(pattern, compiled)
  return compiled
}

const invalid = (path: string, value: Json, complaint: string): FieldError => ({
  path,
  message: `Invalid value: ${JSON.stringify(value)}: ${path} in body ${complaint}`,
  blocksRules: false
})

const ofNumber = (value: number, schema: OpenApiSchema, path: string, errors: Errors): void => {
  const { minimum, maximum, multipleOf } = schema
  if (minimum !== undefined && (schema.exclusiveMinimum === true ? value <= minimum : value < minimum))
    errors.push(
      invalid(path, value, `should be greater than ${schema.exclusiveMinimum === true ? "" : "or equal to "}${minimum}`)
    )
  if (maximum !== undefined && (schema.exclusiveMaximum === true ? value >= maximum : value > maximum))
    errors.push(
      invalid(path, value, `should be less than ${schema.exclusiveMaximum === true ? "" : "or equal to "}${maximum}`)
    )
  if (multipleOf !== undefined && value % multipleOf !== 0)
    errors.push(invalid(path, value, `should be a multiple of ${multipleOf}`))
}

const ofList = (value: ReadonlyArray<Json>, schema: OpenApiSchema, path: string, errors: Errors): void => {
  if (schema.maxItems !== undefined && value.length > schema.maxItems)
    errors.push({
      path,
      message: `Too many: ${value.length}: must have at most ${schema.maxItems} items`,
      blocksRules: true
    })
  if (schema.minItems !== undefined && value.length < schema.minItems)
    errors.push(invalid(path, value.length, `should have at least ${schema.minItems} items`))
  for (const [index, item] of value.entries()) check(item, items(schema), `${path}[${index}]`, errors)
  errors.push(...duplicates(value, schema, path))
}

const duplicates = (value: ReadonlyArray<Json>, schema: OpenApiSchema, path: string): ReadonlyArray<FieldError> => {
  const kind = listType(schema)
  if (kind === "atomic" || value.length < 2) return []
  const keys = value.map((item) => (kind === "map" && isObject(item) ? itemKeys(schema, item) : item))
  return keys.flatMap((key, index) =>
    keys.findIndex((earlier) => equals(earlier, key)) < index
      ? [{ path: `${path}[${index}]`, message: `Duplicate value: ${JSON.stringify(key)}`, blocksRules: false }]
      : []
  )
}

const ofObject = (
  value: JsonObject,
  schema: OpenApiSchema,
  path: string,
  errors: Errors,
  admitted: JsonObject
): void => {
  for (const key of schema.required ?? [])
    if (value[key] === undefined) errors.push({ path: child(path, key), message: "Required value", blocksRules: true })
  const keys = Object.keys(value)
  const count = keys.length
  if (schema.maxProperties !== undefined && count > schema.maxProperties)
    errors.push({
      path,
      message: `Too many: ${count}: must have at most ${schema.maxProperties} items`,
      blocksRules: true
    })
  if (schema.minProperties !== undefined && count < schema.minProperties)
    errors.push(invalid(path, count, `should have at least ${schema.minProperties} properties`))
  for (const key of keys) {
    const item = value[key]
    if (item === undefined || item === admitted[key]) continue
    const schemaOfItem = member(schema, key)
    if (schemaOfItem !== undefined) check(item, schemaOfItem, child(path, key), errors, admitted[key])
  }
}
