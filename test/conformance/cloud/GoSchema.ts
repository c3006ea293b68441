/**
 * What the vendor's own Go client sends and reads (its package `schema`, as source), against the table of facts: a second
 * witness beside the documentation, which has no versions.
 */
import { contract, errorReply, type Keys, nameOf, pagination, type Shape } from "./Contract.ts"

interface Field {
  readonly key: string
  /** Without the pointer. */
  readonly type: string
  readonly isPointer: boolean
}

/** Fields by the name of the struct. Fields without a JSON name, and embedded ones, are none of the wire. */
export type Structs = ReadonlyMap<string, ReadonlyArray<Field>>

const struct = /^type (\w+) struct \{$([^}]*)^\}|^type (\w+) struct\{\}/gmu
const field = /^\s+\w+\s+(\*?)(\S+)\s+`json:"([\w-]+)/u

export const structsIn = (source: string): Structs => {
  const structs = new Map<string, ReadonlyArray<Field>>()
  for (const [, name, body = "", empty] of source.matchAll(struct)) {
    const fields = body.split("\n").flatMap((line) => {
      const [, pointer, type = "", key = "-"] = field.exec(line) ?? []
      return key === "-" ? [] : [{ key, type, isPointer: pointer === "*" }]
    })
    structs.set(name ?? empty ?? "", fields)
  }
  return structs
}

const kinds: { readonly [kind: string]: ReadonlyArray<string> } = {
  string: ["string"],
  "string or null": ["string"],
  // The client asks by what it was given, as a text.
  "name or id": ["string"],
  integer: ["int", "int64", "uint64"],
  number: ["float64"],
  boolean: ["bool"],
  time: ["time.Time"],
  labels: ["map[string]string"]
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape)

/** Of which the table has what we need, and no more. */
const partly = new Set(["Server", "Error"])

const ofShape = (structs: Structs, shape: Shape, type: string, at: string): ReadonlyArray<string> => {
  if (typeof shape === "string") {
    return kinds[shape]?.includes(type) === true ? [] : [`${at} is ${type} in Go, and ${shape} here`]
  }
  if (!isList(shape)) return ofKeys(structs, shape, type, at)
  return type.startsWith("[]")
    ? ofShape(structs, shape[0], type.slice(2).replace("*", ""), `${at}[]`)
    : [`${at} is ${type} in Go, and a list here`]
}

const ofKeys = (structs: Structs, keys: Keys, type: string, at: string): ReadonlyArray<string> => {
  const fields = structs.get(type)
  if (fields === undefined) return [`${at}: there is no ${type} in Go`]
  const known = new Set(Object.keys(keys).map((name) => name.replace("?", "")))
  return [
    ...Object.entries(keys).flatMap(([name, shape]) => {
      const key = name.replace("?", "")
      const found = fields.find((each) => each.key === key)
      if (found === undefined) return [`${at}: Go knows no ${key}`]
      // Where Go has no pointer a null is its zero value.
      const mayBeNull = key !== name || shape === "string or null"
      const nullness = found.isPointer && !mayBeNull && at.startsWith("reply") ? [`${at}.${key} may be null in Go`] : []
      return [...nullness, ...ofShape(structs, shape, found.type, `${at}.${key}`)]
    }),
    ...(partly.has(type)
      ? []
      : fields.filter(({ key }) => !known.has(key)).map(({ key }) => `${at}: ${key} is missing here`))
  ]
}

const actionOf = (name: string) => [`FloatingIPAction${name}Request`, `FloatingIPAction${name}Response`] as const

/** What Go calls the body, and the reply. */
const types: { readonly [operation: string]: readonly [body: string | undefined, reply: string | undefined] } = {
  "GET /servers": [undefined, "ServerListResponse"],
  "GET /servers/{id}": [undefined, "ServerGetResponse"],
  "POST /servers/{id}/actions/change_alias_ips": [
    "ServerActionChangeAliasIPsRequest",
    "ServerActionChangeAliasIPsResponse"
  ],
  "GET /locations": [undefined, "LocationListResponse"],
  "GET /floating_ips": [undefined, "FloatingIPListResponse"],
  "POST /floating_ips": ["FloatingIPCreateRequest", "FloatingIPCreateResponse"],
  "GET /floating_ips/{id}": [undefined, "FloatingIPGetResponse"],
  "PUT /floating_ips/{id}": ["FloatingIPUpdateRequest", "FloatingIPUpdateResponse"],
  "DELETE /floating_ips/{id}": [undefined, undefined],
  "POST /floating_ips/{id}/actions/assign": actionOf("Assign"),
  "POST /floating_ips/{id}/actions/unassign": actionOf("Unassign"),
  "POST /floating_ips/{id}/actions/change_protection": actionOf("ChangeProtection"),
  "POST /floating_ips/{id}/actions/change_dns_ptr": actionOf("ChangeDNSPtr"),
  "GET /floating_ips/{id}/actions": [undefined, "ActionListResponse"],
  "GET /actions": [undefined, "ActionListResponse"],
  "GET /actions/{id}": [undefined, "ActionGetResponse"]
}

const ofPart = (structs: Structs, keys: Keys | undefined, type: string | undefined, at: string) => {
  if (keys === undefined || type === undefined)
    return keys === undefined && type === undefined ? [] : [`${at} is on one side only`]
  return ofKeys(structs, keys, type, at)
}

/** By operation, what is not as the client has it. */
export const differences = (structs: Structs): ReadonlyArray<string> => [
  ...contract.flatMap((operation) => {
    const [body, reply] = types[nameOf(operation)] ?? []
    return [...ofPart(structs, operation.body, body, "body"), ...ofPart(structs, operation.reply, reply, "reply")].map(
      (problem) => `${nameOf(operation)}: ${problem}`
    )
  }),
  ...ofKeys(structs, pagination, "MetaPagination", "pagination"),
  ...ofKeys(structs, errorReply, "ErrorResponse", "error")
]
