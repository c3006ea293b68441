/** The CEL rules of a CRD, evaluated as generated; there is no hand-written twin of any of them. */
import { Environment } from "@marcbachmann/cel-js"
import type { FieldError } from "./FieldError.ts"
import type { Json, JsonObject } from "./Json.ts"
import { equals, isList, isObject } from "./Json.ts"
import type { OpenApiSchema, ValidationRule } from "./OpenApiSchema.ts"
import { itemKeys, items, listType, member } from "./OpenApiSchema.ts"

type Errors = Array<FieldError>

/**
 * Evaluates all rules; a transition rule (one that names `oldSelf`) only where there is an old value to compare with. Of
 * what is the same part of `admitted`, which the rules let pass before, only transition rules are evaluated again.
 */
export const evaluateRules = (
  value: Json,
  old: Json | undefined,
  schema: OpenApiSchema,
  admitted?: Json
): ReadonlyArray<FieldError> => {
  const errors: Errors = []
  evaluate(value, old, schema, "", errors, admitted)
  return errors
}

const evaluate = (
  value: Json,
  old: Json | undefined,
  schema: OpenApiSchema,
  path: string,
  errors: Errors,
  admitted: Json | undefined
): void => {
  const within = rulesWithin(schema)
  if (within === "none" || (value === admitted && within === "of one state")) return
  for (const rule of schema["x-kubernetes-validations"] ?? [])
    if (value !== admitted || programOf(rule.rule).isTransition) evaluateRule(rule, value, old, schema, path, errors)
  if (isObject(value)) ofMembers(value, old, schema, path, errors, admitted)
  else if (isList(value)) ofItems(value, old, schema, path, errors)
}

const ofMembers = (
  value: JsonObject,
  old: Json | undefined,
  schema: OpenApiSchema,
  path: string,
  errors: Errors,
  admitted: Json | undefined
): void => {
  for (const key of Object.keys(value)) {
    const [child, declared] = [value[key], member(schema, key)]
    if (child === undefined || declared === undefined) continue
    const at = path === "" ? key : schema.properties?.[key] === undefined ? `${path}[${key}]` : `${path}.${key}`
    const before = isObject(old) ? old[key] : undefined
    evaluate(child, before, declared, at, errors, isObject(admitted) ? admitted[key] : undefined)
  }
}

/** Old and new items correspond by their keys; those of other lists by nothing, so they have no transition rules. */
const ofItems = (
  value: ReadonlyArray<Json>,
  old: Json | undefined,
  schema: OpenApiSchema,
  path: string,
  errors: Errors
): void => {
  for (const [index, item] of value.entries()) {
    const keyed = listType(schema) === "map" && isObject(item) && isList(old)
    const keys = keyed ? itemKeys(schema, item) : undefined
    const before = keyed
      ? old.find((candidate) => isObject(candidate) && equals(itemKeys(schema, candidate), keys))
      : undefined
    evaluate(item, before, items(schema), `${path}[${index}]`, errors, undefined)
  }
}

type RulesWithin = "none" | "of one state" | "of transitions too"

const known = new WeakMap<OpenApiSchema, RulesWithin>()

/** Which rules a schema and what is within it have. A structural schema holds no cycle. */
const rulesWithin = (schema: OpenApiSchema): RulesWithin => {
  const found = known.get(schema)
  if (found !== undefined) return found
  const own = (schema["x-kubernetes-validations"] ?? []).map(({ rule }): RulesWithin =>
    programOf(rule).isTransition ? "of transitions too" : "of one state"
  )
  const additional = typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : []
  const inner = [...Object.values(schema.properties ?? {}), ...additional, ...(schema.items ? [schema.items] : [])]
  const all = [...own, ...inner.map(rulesWithin)]
  const within = all.includes("of transitions too")
    ? "of transitions too"
    : all.includes("of one state")
      ? "of one state"
      : "none"
  known.set(schema, within)
  return within
}

const evaluateRule = (
  rule: ValidationRule,
  value: Json,
  old: Json | undefined,
  schema: OpenApiSchema,
  path: string,
  errors: Errors
): void => {
  const program = programOf(rule.rule)
  if (program.isTransition && old === undefined) return
  const outcome = program.run(toCel(value, schema), old === undefined ? null : toCel(old, schema))
  if (outcome === true) return
  const message = outcome === false ? (rule.message ?? `failed rule: ${rule.rule}`) : outcome
  const shown = isObject(value) || isList(value) ? "" : `${JSON.stringify(value)}: `
  errors.push({
    path: path + (rule.fieldPath ?? ""),
    message: `Invalid value: ${shown}${message}`,
    blocksRules: false
  })
}

interface Program {
  readonly isTransition: boolean
  /** Whether the rule holds, or why it could not be evaluated (which is a refusal too). */
  readonly run: (self: CelValue, oldSelf: CelValue) => boolean | string
}

const environment = new Environment({ homogeneousAggregateLiterals: false })
  .registerVariable("self", "dyn")
  .registerVariable("oldSelf", "dyn")

const programs = new Map<string, Program>()

/** Parsed once: the same few rules are evaluated at every write. */
const programOf = (rule: string): Program => {
  const known = programs.get(rule)
  if (known !== undefined) return known
  const parsed = environment.parse(rule)
  const program: Program = {
    isTransition: /\boldSelf\b/u.test(rule),
    run: (self, oldSelf) => {
      try {
        return parsed({ self, oldSelf }) === true
      } catch (error) {
        return `rule evaluation error: ${error instanceof Error ? error.message : String(error)}`
      }
    }
  }
  programs.set(rule, program)
  return program
}

type CelValue =
  | null
  | boolean
  | string
  | number
  | bigint
  | ReadonlyArray<CelValue>
  | { readonly [key: string]: CelValue }

/** By schema: what an object or list is to CEL. An object is seen by several rules, at each of the levels above it too. */
const converted = new WeakMap<OpenApiSchema, WeakMap<object, CelValue>>()

/** CEL tells int from double, JSON does not: the schema decides. */
const toCel = (value: Json, schema: OpenApiSchema): CelValue => {
  if (typeof value === "number") return Number.isInteger(value) && schema.type !== "number" ? BigInt(value) : value
  if (typeof value !== "object" || value === null) return value
  const ofSchema = converted.get(schema) ?? new WeakMap<object, CelValue>()
  converted.set(schema, ofSchema)
  const found = ofSchema.get(value)
  if (found !== undefined) return found
  const made = toCelAnew(value, schema)
  ofSchema.set(value, made)
  return made
}

const undeclared: OpenApiSchema = {}

const toCelAnew = (value: ReadonlyArray<Json> | JsonObject, schema: OpenApiSchema): CelValue => {
  if (!isObject(value)) return value.map((item) => toCel(item, items(schema)))
  const copy: Record<string, CelValue> = {}
  for (const [key, child] of Object.entries(value)) copy[key] = toCel(child, member(schema, key) ?? undeclared)
  return copy
}
