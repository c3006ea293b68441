/**
 * Puts every CEL rule of the CRDs to the library that evaluates them in memory, with the values of real objects. Rules that
 * only the API server understands would make the in-memory API admit what a cluster refuses.
 */
import { Environment } from "@marcbachmann/cel-js"
import type { CustomResourceDefinition } from "../../src/api/CustomResourceDefinition.ts"
import type { StructuralSchema, ValidationRule } from "../../src/api/StructuralSchema.ts"
import type { BadManifest } from "../conformance/bad-manifests.ts"
import type { Manifest } from "../conformance/manifest.ts"

export interface Outcome {
  readonly path: string
  readonly message: string
}

const environment = new Environment({ unlistedVariablesAreDyn: false }).registerVariable("self", "dyn")

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const childOf = (schema: StructuralSchema, key: string): StructuralSchema | undefined =>
  schema.properties?.[key] ?? schema.additionalProperties

/** Integers are doubles to JavaScript and ints to CEL: the schema tells which is meant. */
const celValue = (schema: StructuralSchema, value: unknown): unknown => {
  if (schema.type === "integer") return BigInt(Number(value))
  if (Array.isArray(value)) return value.map((item) => celValue(schema.items ?? {}, item))
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      const child = childOf(schema, key)
      return child === undefined ? [] : [[key, celValue(child, inner)]]
    })
  )
}

/** Whether types, required fields and listed values are right: else the API server does not come to the rules. */
const isSound = (schema: StructuralSchema, value: unknown): boolean => {
  if (schema.enum !== undefined) return schema.enum.includes(value)
  if (schema.type === "array") return Array.isArray(value) && value.every((item) => isSound(schema.items ?? {}, item))
  if (schema.type === "integer") return Number.isInteger(value)
  if (schema.type !== "object") return typeof value === schema.type
  return (
    isRecord(value) &&
    (schema.required ?? []).every((key) => key in value) &&
    Object.entries(value).every(([key, inner]) => {
      const child = childOf(schema, key)
      return child === undefined || isSound(child, inner)
    })
  )
}

type Visit = (rule: ValidationRule, schema: StructuralSchema, value: unknown, path: string) => void

const visitRules = (schema: StructuralSchema, value: unknown, path: string, visit: Visit): void => {
  if (!isSound(schema, value)) return
  for (const rule of schema["x-kubernetes-validations"] ?? []) visit(rule, schema, value, path)
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) visitRules(schema.items ?? {}, item, `${path}[${index}]`, visit)
    return
  }
  if (!isRecord(value)) return
  for (const [key, inner] of Object.entries(value)) {
    const child = childOf(schema, key)
    if (child !== undefined) visitRules(child, inner, path === "" ? key : `${path}.${key}`, visit)
  }
}

const schemaOf = (definition: CustomResourceDefinition): StructuralSchema =>
  definition.spec.versions[0]?.schema.openAPIV3Schema ?? {}

const childrenOf = ({ properties, items, additionalProperties }: StructuralSchema): ReadonlyArray<StructuralSchema> => [
  ...Object.values(properties ?? {}),
  ...(items === undefined ? [] : [items]),
  ...(additionalProperties === undefined ? [] : [additionalProperties])
]

const allRules = (schema: StructuralSchema): ReadonlyArray<ValidationRule> => [
  ...(schema["x-kubernetes-validations"] ?? []),
  ...childrenOf(schema).flatMap(allRules)
]

/**
 * Sentences about what is wrong, none when all is well: rules that the library does not evaluate to true or false, rules
 * that refuse a good manifest, and rules that no bad manifest breaks (nobody would notice if they never refused).
 */
export const problemsOfRules = (
  definitions: ReadonlyArray<CustomResourceDefinition>,
  good: ReadonlyArray<Manifest>,
  bad: ReadonlyArray<BadManifest>
): ReadonlyArray<string> => {
  const problems = new Set<string>()
  const broken = new Set<string>()
  const evaluate = (manifest: Manifest, admitted: boolean): void => {
    const definition = definitions.find((each) => each.spec.names.kind === manifest.kind)
    if (definition === undefined) return
    const object = { ...manifest.manifest, ...(manifest.status === undefined ? {} : { status: manifest.status }) }
    visitRules(schemaOf(definition), object, "", (rule, schema, value, path) => {
      const result = resultOf(rule, celValue(schema, value))
      if (typeof result !== "boolean") problems.add(`the rule "${rule.message}" at ${path}: ${result}`)
      if (result === false) broken.add(rule.message)
      if (result === false && admitted) problems.add(`${manifest.name} is refused at ${path}: ${rule.message}`)
    })
  }
  for (const manifest of good) evaluate(manifest, true)
  for (const manifest of bad) evaluate(manifest, false)
  for (const rule of definitions.flatMap((definition) => allRules(schemaOf(definition)))) {
    if (!broken.has(rule.message)) problems.add(`no bad manifest breaks the rule "${rule.message}"`)
  }
  return [...problems]
}

const resultOf = ({ rule }: ValidationRule, self: unknown): boolean | string => {
  try {
    const result: unknown = environment.evaluate(rule, { self })
    return typeof result === "boolean" ? result : `it gives ${typeof result}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
