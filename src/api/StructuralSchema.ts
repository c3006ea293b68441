/**
 * From JSON Schema, as Effect exports it, to the subset that a CustomResourceDefinition may hold (Kubernetes calls it
 * structural: every value has one type, nothing is described in two places). What has no counterpart is refused with the
 * path of the field, never dropped: a constraint that silently vanished would be one that users trust and nobody checks.
 */

export interface ValidationRule {
  readonly rule: string
  readonly message: string
}

export interface StructuralSchema {
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean"
  readonly description?: string
  readonly format?: string
  readonly default?: unknown
  readonly nullable?: boolean
  readonly enum?: ReadonlyArray<unknown>
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: boolean
  readonly exclusiveMaximum?: boolean
  readonly multipleOf?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly required?: ReadonlyArray<string>
  readonly properties?: { readonly [key: string]: StructuralSchema }
  readonly additionalProperties?: StructuralSchema
  readonly items?: StructuralSchema
  readonly "x-kubernetes-int-or-string"?: boolean
  readonly "x-kubernetes-list-type"?: string
  readonly "x-kubernetes-list-map-keys"?: ReadonlyArray<string>
  readonly "x-kubernetes-map-type"?: string
  readonly "x-kubernetes-validations"?: ReadonlyArray<ValidationRule>
}

export interface JsonNode {
  readonly [key: string]: unknown
}

/** A fault in a Schema of ours, found while generating: never caused by a user. */
const refuse = (path: string, why: string): never => {
  throw new Error(`${path === "" ? "the root" : path} cannot stand in a CRD: ${why}`)
}

const isNode = (value: unknown): value is JsonNode =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const nodeAt = (value: unknown, path: string): JsonNode => (isNode(value) ? value : refuse(path, "it is not a schema"))

const nodesAt = (value: unknown, path: string): ReadonlyArray<JsonNode> =>
  Array.isArray(value) ? value.map((entry) => nodeAt(entry, path)) : refuse(path, "a list of schemas was expected")

/** Copied as they are. */
const plainKeys: ReadonlySet<string> = new Set([
  "type",
  "description",
  "format",
  "enum",
  "nullable",
  "pattern",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
  "x-kubernetes-int-or-string",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
  "x-kubernetes-validations"
])
/** Read elsewhere in this file, or by the reference page only. */
const readKeys: ReadonlySet<string> = new Set([
  "properties",
  "required",
  "additionalProperties",
  "items",
  "x-bounds",
  "x-crd-default",
  "x-since",
  "x-absent"
])

/** Bounds that Effect gives every `Int`; Kubernetes says it by `format`. */
const safeInteger = Number.MAX_SAFE_INTEGER
const int32Max = 2 ** 31 - 1

/** `definitions` are what `$ref`s point to. */
export const structural = (root: JsonNode, definitions: JsonNode): StructuralSchema =>
  convert(root, { path: "", definitions, open: [] })

interface Context {
  readonly path: string
  readonly definitions: JsonNode
  /** References being inlined: one that comes again is recursion. */
  readonly open: ReadonlyArray<string>
}

const below = (context: Context, key: string): Context => ({
  ...context,
  path: `${context.path}.${key}`.replace(/^\./, "")
})

const convert = (source: JsonNode, context: Context): StructuralSchema => {
  if (typeof source["$ref"] === "string") return inline(source["$ref"], source, context)
  const node = withoutUnion(mergeParts(source, context.path), context)
  if (node["$ref"] !== undefined) return convert(node, context)
  for (const key of Object.keys(node)) {
    if (!plainKeys.has(key) && !readKeys.has(key)) refuse(context.path, `${key} has no counterpart`)
  }
  if (node["x-kubernetes-int-or-string"] !== true && typeof node["type"] !== "string") {
    refuse(context.path, "it has no single type")
  }
  const copied: StructuralSchema = {
    ...Object.fromEntries(Object.entries(node).filter(([key]) => plainKeys.has(key))),
    ...(isNode(node["x-bounds"]) ? node["x-bounds"] : {}),
    ...(node["x-crd-default"] === undefined ? {} : { default: node["x-crd-default"] }),
    ...(typeof node["x-absent"] === "string" ? { description: explained(node, node["x-absent"]) } : {})
  }
  if (copied.type === "integer") return integer(copied)
  if (copied.type === "object") return { ...copied, ...objectOf(node, context) }
  return copied.type === "array" ? { ...copied, items: itemsOf(node, context) } : copied
}

/** `kubectl explain` shows a default only when the API server fills it in. */
const explained = ({ description }: JsonNode, absent: string): string =>
  `${typeof description === "string" ? description : ""} When absent: ${absent}.`

const inline = (reference: string, { $ref: _, ...rest }: JsonNode, context: Context): StructuralSchema => {
  if (context.open.includes(reference)) refuse(context.path, `${reference} contains itself`)
  const name = reference
    .replace(/^#\/(definitions|\$defs)\//, "")
    .replaceAll("~1", "/")
    .replaceAll("~0", "~")
  const target = context.definitions[name]
  if (!isNode(target)) return refuse(context.path, `${reference} is not defined`)
  return convert({ ...target, ...rest }, { ...context, open: [...context.open, reference] })
}

/** An annotation that follows a check (`Int` is one) is exported as a part of `allOf`. */
export const mergeParts = ({ allOf, ...node }: JsonNode, path: string): JsonNode =>
  allOf === undefined
    ? node
    : nodesAt(allOf, path).reduce((sum, part) => {
        for (const key of Object.keys(part)) {
          const differs = key in sum && JSON.stringify(sum[key]) !== JSON.stringify(part[key])
          if (differs) refuse(path, `allOf gives ${key} twice`)
        }
        return { ...sum, ...part }
      }, node)

const withoutUnion = (node: JsonNode, { path }: Context): JsonNode => {
  const { anyOf, ...rest } = node
  if (anyOf === undefined) return node
  if (rest["x-kubernetes-int-or-string"] === true) return rest
  const parts = nodesAt(anyOf, path)
  const [only, ...others] = parts.filter((part) => part["type"] !== "null")
  if (only === undefined || others.length > 0 || parts.length !== 2) return refuse(path, "it is a union")
  return { ...only, ...rest, nullable: true }
}

const integer = ({ minimum, maximum, ...schema }: StructuralSchema): StructuralSchema => ({
  ...schema,
  ...(minimum === undefined || minimum === -safeInteger ? {} : { minimum }),
  ...(maximum === undefined || maximum === safeInteger ? {} : { maximum }),
  format: maximum !== undefined && maximum <= int32Max ? "int32" : "int64"
})

const objectOf = (node: JsonNode, context: Context) => {
  const { additionalProperties } = node
  if (node["properties"] === undefined) {
    const values = nodeAt(additionalProperties, context.path)
    return { additionalProperties: convert(values, below(context, "*")) }
  }
  // Effect leaves every struct open, since decoding drops what it does not know; a CRD prunes by itself.
  const open = additionalProperties === undefined || JSON.stringify(additionalProperties) === "{}"
  if (!open) refuse(context.path, "it has both properties and additionalProperties")
  const properties = Object.entries(nodeAt(node["properties"], context.path)).map(
    ([key, value]) => [key, convert(nodeAt(value, `${context.path}.${key}`), below(context, key))] as const
  )
  const defaulted = new Set(properties.filter(([, schema]) => schema.default !== undefined).map(([key]) => key))
  const required = (Array.isArray(node["required"]) ? node["required"] : []).filter((key) => !defaulted.has(key))
  return { properties: Object.fromEntries(properties), ...(required.length === 0 ? {} : { required }) }
}

const itemsOf = (node: JsonNode, context: Context): StructuralSchema =>
  isNode(node["items"])
    ? convert(node["items"], below(context, "[]"))
    : refuse(context.path, "its items have no schema of their own (a tuple?)")
