/** The fields of a Schema as a flat list: for the reference page, and for the test that no field is forgotten. */
import type { Schema } from "effect"
import { annotatedSchema } from "./Crd.ts"
import { type JsonNode, mergeParts } from "./StructuralSchema.ts"

export interface FieldInfo {
  /** From the object down, list items as `[]`: `spec.allocations[].address`. */
  readonly path: string
  readonly type: string
  readonly description: string
  readonly required: boolean
  /** What absence means, as text: filled in by the API server, or decided by the program. */
  readonly absent: string
  /** Version that brought the field. */
  readonly since: "v0.4" | "1.0"
  /** Sentences with which admission refuses. */
  readonly refusals: ReadonlyArray<string>
  /** No field lies beneath it. */
  readonly leaf: boolean
}

export const fieldsOf = (schema: Schema.Constraint): ReadonlyArray<FieldInfo> =>
  propertiesOf(annotatedSchema(schema).schema, "", "v0.4").filter(
    ({ path }) => path.startsWith("spec") || path.startsWith("status")
  )

const propertiesOf = (node: JsonNode, prefix: string, since: "v0.4" | "1.0"): ReadonlyArray<FieldInfo> =>
  Object.entries(asNode(node["properties"])).flatMap(([key, value]) => {
    const child = mergeParts(asNode(value), `${prefix}${key}`)
    const required = Array.isArray(node["required"]) && node["required"].includes(key)
    const info = infoOf(child, `${prefix}${key}`, required, since)
    return [info, ...beneath(child, info)]
  })

const beneath = (node: JsonNode, info: FieldInfo): ReadonlyArray<FieldInfo> => {
  const inList = node["type"] === "array"
  const inner = inList ? asNode(node["items"]) : node
  return propertiesOf(inner, `${info.path}${inList ? "[]." : "."}`, info.since)
}

const infoOf = (node: JsonNode, path: string, required: boolean, outer: "v0.4" | "1.0"): FieldInfo => {
  const filledIn = node["x-crd-default"]
  const items = mergeParts(asNode(node["items"]), path)
  return {
    path,
    type: typeOf(node),
    description: textOf(node["description"]),
    required: required && filledIn === undefined,
    absent: filledIn === undefined ? textOf(node["x-absent"]) : JSON.stringify(filledIn),
    since: node["x-since"] === "1.0" ? "1.0" : outer,
    refusals: [...messagesOf(node), ...messagesOf(items)],
    leaf: node["properties"] === undefined && items["properties"] === undefined
  }
}

const typeOf = (node: JsonNode): string => {
  if (Array.isArray(node["enum"])) return node["enum"].join(" or ")
  if (node["type"] === "array") {
    const items = asNode(node["items"])
    return `list of ${items["type"] === "object" ? "objects" : `${textOf(items["type"])}s`}`
  }
  if (node["type"] === "object" && node["properties"] === undefined) return "map of strings"
  return textOf(node["type"])
}

const messagesOf = (node: JsonNode): ReadonlyArray<string> => {
  const rules = node["x-kubernetes-validations"]
  return Array.isArray(rules) ? rules.map((rule) => textOf(asNode(rule)["message"])) : []
}

const asNode = (value: unknown): JsonNode =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")
