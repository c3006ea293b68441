/** The CEL rules of a CRD, evaluated as generated; there is no hand-written twin of any of them. */
import { Environment } from "@marcbachmann/cel-js"
import type { FieldError } from "./FieldError.ts"
import type { Json, JsonObject } from "./Json.ts"
import { equals, isList, isObject } from "./Json.ts"
import type { OpenApiSchema, ValidationRule } from "./OpenApiSchema.ts"
import { itemKeys, items, listType, member } from "./OpenApiSchema.ts"

/** Evaluates all rules; a transition rule (one that names `oldSelf`) only where there is an old value to compare with. */
export const evaluateRules = (
  value: Json,
  old: Json | undefined,
  schema: OpenApiSchema,
  path = ""
): ReadonlyArray<FieldError> => [
  ...(schema["x-kubernetes-validations"] ?? []).flatMap((rule) => evaluateRule(rule, value, old, schema, path)),
  ...(isObject(value) ? ofMembers(value, old, schema, path) : []),
  ...(isList(value) ? ofItems(value, old, schema, path) : [])
]

const ofMembers = (
  value: JsonObject,
  old: Json | undefined,
  schema: OpenApiSchema,
  path: string
): ReadonlyArray<FieldError> =>
  Object.entries(value).flatMap(([key, child]) => {
    const declared = member(schema, key)
    if (declared === undefined) return []
    const at = path === "" ? key : schema.properties?.[key] === undefined ? `${path}[${key}]` : `${path}.${key}`
    return evaluateRules(child, isObject(old) ? old[key] : undefined, declared, at)
  })

/** Old and new items correspond by their keys; those of other lists by nothing, so they have no transition rules. */
const ofItems = (
  value: ReadonlyArray<Json>,
  old: Json | undefined,
  schema: OpenApiSchema,
  path: string
): ReadonlyArray<FieldError> =>
  value.flatMap((item, index) => {
    const keyed = listType(schema) === "map" && isObject(item) && isList(old)
    const keys = keyed ? itemKeys(schema, item) : undefined
    const before = keyed
      ? old.find((candidate) => isObject(candidate) && equals(itemKeys(schema, candidate), keys))
      : undefined
    return evaluateRules(item, before, items(schema), `${path}[${index}]`)
  })

const evaluateRule = (
  rule: ValidationRule,
  value: Json,
  old: Json | undefined,
  schema: OpenApiSchema,
  path: string
): ReadonlyArray<FieldError> => {
  const program = programOf(rule.rule)
  if (program.isTransition && old === undefined) return []
  const outcome = program.run(toCel(value, schema), old === undefined ? null : toCel(old, schema))
  if (outcome === true) return []
  const message = outcome === false ? (rule.message ?? `failed rule: ${rule.rule}`) : outcome
  const shown = isObject(value) || isList(value) ? "" : `${JSON.stringify(value)}: `
  return [{ path: path + (rule.fieldPath ?? ""), message: `Invalid value: ${shown}${message}`, blocksRules: false }]
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

/** CEL tells int from double, JSON does not: the schema decides. */
const toCel = (value: Json, schema: OpenApiSchema): CelValue => {
  if (typeof value === "number") return Number.isInteger(value) && schema.type !== "number" ? BigInt(value) : value
  if (isList(value)) return value.map((item) => toCel(item, items(schema)))
  if (!isObject(value)) return value
  const copy: Record<string, CelValue> = {}
  for (const [key, child] of Object.entries(value)) copy[key] = toCel(child, member(schema, key) ?? {})
  return copy
}
