/**
 * The chart's README and values.schema.json, both from the comments of values.yaml and from files/permissions.yaml, so
 * that there is one place to change. `npm run generate` writes what this returns.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { isMap, isScalar, parse, parseDocument, stringify, type Pair, type YAMLMap } from "yaml"

interface GeneratedFile {
  readonly path: string
  readonly content: string
}

interface JsonSchema {
  readonly [key: string]: unknown
}

/** One value of values.yaml. `fields` is undefined for a leaf: a scalar, a list, or a map that is given as a whole. */
interface Value {
  readonly name: string
  readonly description: string
  readonly schema: JsonSchema
  readonly default: unknown
  readonly fields: ReadonlyArray<Value> | undefined
}

interface Rule {
  readonly group: string
  readonly resources: ReadonlyArray<string>
  readonly names?: ReadonlyArray<string>
  readonly verbs: ReadonlyArray<string>
  /** With this value only. */
  readonly when?: "witness"
  readonly why: string
}
type Permissions = {
  readonly [role: string]: { readonly [scope in "cluster" | "namespace"]?: ReadonlyArray<Rule> }
}

export const readPermissions = (root: string): Permissions =>
  parse(readFileSync(join(root, "chart/files/permissions.yaml"), "utf8"))

export const readValues = (root: string): ReadonlyArray<Value> => {
  const document = parseDocument(readFileSync(join(root, "chart/values.yaml"), "utf8"))
  if (!isMap(document.contents)) throw new Error("chart/values.yaml: expected a map at the top")
  return fieldsOf(document.contents)
}

const schemaMark = "@schema "

/** `yaml` keeps the comment of a map's first pair on the map itself. */
const fieldsOf = (map: YAMLMap): ReadonlyArray<Value> =>
  map.items.map((pair, index) => valueOf(pair, index === 0 ? map.commentBefore : undefined))

const valueOf = (pair: Pair, outerComment: string | null | undefined): Value => {
  if (!isScalar(pair.key)) throw new Error("chart/values.yaml: a key is not a string")
  const lastParagraph = (pair.key.commentBefore ?? outerComment ?? "").split(/\n\s*\n/).at(-1) ?? ""
  const lines = lastParagraph.split("\n").map((line) => line.trim())
  const mark = lines.find((line) => line.startsWith(schemaMark))
  const description = lines
    .filter((line) => !line.startsWith(schemaMark))
    .join(" ")
    .trim()
  const fields =
    isMap(pair.value) && pair.value.items.length > 0 && !givenAsAWhole(pair.value) ? fieldsOf(pair.value) : undefined
  const value = isMap(pair.value) || !isScalar(pair.value) ? (pair.value as YAMLMap).toJSON() : pair.value.value
  return {
    name: String(pair.key.value),
    description,
    schema: mark === undefined ? {} : JSON.parse(mark.slice(schemaMark.length)),
    default: value,
    fields
  }
}

/** Written on one line or without comments: a Kubernetes type such as `resources`, which users replace key by key. */
const givenAsAWhole = (map: YAMLMap): boolean => map.commentBefore == null

const typeOf = (value: unknown): string =>
  Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value

const schemaOf = (value: Value): JsonSchema =>
  value.fields === undefined
    ? { description: value.description, type: typeOf(value.default), ...value.schema }
    : { description: value.description, ...objectSchema(value.fields), ...value.schema }

const objectSchema = (fields: ReadonlyArray<Value>): JsonSchema => ({
  type: "object",
  additionalProperties: false,
  properties: Object.fromEntries(fields.map((field) => [field.name, schemaOf(field)]))
})

const valuesSchema = (values: ReadonlyArray<Value>): string => {
  const { properties, ...rest } = objectSchema(values)
  // `global` is what Helm adds when this chart is a dependency of another.
  const root = {
    $schema: "http://json-schema.org/draft-07/schema#",
    ...rest,
    properties: { ...(properties as object), global: { type: "object" } }
  }
  return `${JSON.stringify(root, undefined, 2)}\n`
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ")
const code = (text: string): string => `\`${cell(text)}\``

const row = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`

const valueRows = (values: ReadonlyArray<Value>, prefix = ""): ReadonlyArray<string> =>
  values.flatMap((value) => {
    const name = `${prefix}${value.name}`
    return value.fields === undefined
      ? [row([code(name), code(stringify(value.default, { collectionStyle: "flow" }).trim()), cell(value.description)])]
      : [row([`**${code(name)}**`, "", cell(value.description)]), ...valueRows(value.fields, `${name}.`)]
  })

const accountOf: { readonly [role: string]: string } = {
  controller: "controller",
  operator: "operators",
  crds: "job before install and upgrade",
  uninstall: "job before uninstall, beside the controller's rights"
}

const permissionRows = (permissions: Permissions): ReadonlyArray<string> =>
  Object.entries(permissions).flatMap(([role, scopes]) =>
    (["cluster", "namespace"] as const).flatMap((scope) =>
      (scopes[scope] ?? []).map((rule) =>
        row([
          accountOf[role] ?? role,
          scope === "cluster" ? "cluster" : "own namespace",
          rule.resources.map((resource) => code(rule.group === "" ? resource : `${resource}.${rule.group}`)).join(", "),
          (rule.names ?? []).map(code).join(", ") || "any",
          rule.verbs.join(", "),
          cell(rule.when === undefined ? rule.why : `${rule.why} (with \`failover.${rule.when}\`)`)
        ])
      )
    )
  )

const readme = (root: string): string =>
  [
    readFileSync(join(root, "chart/README.head.md"), "utf8").trim(),
    "",
    "## Values",
    "",
    row(["value", "default", "what it does, when to change it, what that costs"]),
    row(["---", "---", "---"]),
    ...valueRows(readValues(root)),
    "",
    "## Permissions",
    "",
    row(["who", "where", "what", "which", "verbs", "why"]),
    row(["---", "---", "---", "---", "---", "---"]),
    ...permissionRows(readPermissions(root)),
    ""
  ].join("\n")

export const generateChartDocs = (root: string): ReadonlyArray<GeneratedFile> => [
  { path: "chart/values.schema.json", content: valuesSchema(readValues(root)) },
  { path: "chart/README.md", content: readme(root) }
]
