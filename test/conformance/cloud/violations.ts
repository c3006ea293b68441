/** What of a request or a reply is not as the contract has it, one sentence each. */
import { contract, type Keys, type Operation, perPageMax, type Shape } from "./Contract.ts"

export interface Sent {
  readonly method: string
  /** Below the version: `/floating_ips/7001`. */
  readonly path: string
  readonly query: URLSearchParams
  readonly body: string | undefined
}

type Fields = { readonly [key: string]: unknown }

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isInteger = (value: unknown): boolean => Number.isSafeInteger(value)
const isString = (value: unknown): boolean => typeof value === "string"

const kinds: { readonly [kind: string]: (value: unknown) => boolean } = {
  string: isString,
  integer: isInteger,
  number: (value) => typeof value === "number",
  boolean: (value) => typeof value === "boolean",
  time: (value) =>
    typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/u.test(value),
  labels: (value) => isFields(value) && Object.values(value).every(isString),
  "string or null": (value) => value === null || isString(value),
  "name or id": (value) => isString(value) || isInteger(value)
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape)

const nested = (
  shape: Shape,
  value: unknown,
  at: string,
  each: (keys: Keys, value: Fields, at: string) => string[]
) => {
  if (typeof shape === "string") return kinds[shape]?.(value) === true ? [] : [`${at} is no ${shape}`]
  if (isList(shape)) {
    if (!Array.isArray(value)) return [`${at} is no list`]
    return value.flatMap((item: unknown, index): string[] => nested(shape[0], item, `${at}[${index}]`, each))
  }
  return isFields(value) ? each(shape, value, at) : [`${at} is no object`]
}

const prefixed = (at: string, key: string): string => (at === "" ? key : `${at}.${key}`)

/** A reply may have more than the contract has. */
export const ofReply = (keys: Keys, value: Fields, at = ""): string[] =>
  Object.entries(keys).flatMap(([name, shape]) => {
    const key = name.replace("?", "")
    const found = value[key]
    if (found === undefined) return [`${prefixed(at, key)} is missing`]
    if (found === null && key !== name) return []
    return nested(shape, found, prefixed(at, key), ofReply)
  })

const ofBody = (keys: Keys, value: Fields, at = ""): string[] => {
  const known = new Set(Object.keys(keys).map((name) => name.replace("?", "")))
  return [
    ...Object.keys(value).flatMap((key) => (known.has(key) ? [] : [`body: ${prefixed(at, key)} is not known`])),
    ...Object.entries(keys).flatMap(([name, shape]) => {
      const key = name.replace("?", "")
      const found = value[key]
      if (found === undefined) return key === name ? [`body: ${prefixed(at, key)} is missing`] : []
      return nested(shape, found, `body: ${prefixed(at, key)}`, ofBody)
    })
  ]
}

export const operationOf = ({ method, path }: Pick<Sent, "method" | "path">): Operation | undefined =>
  contract.find(
    (each) => each.method === method && new RegExp(`^${each.path.replace("{id}", "[1-9]\\d*")}$`, "u").test(path)
  )

const ofQuery = (operation: Operation, query: URLSearchParams): string[] => {
  const perPage = query.get("per_page")
  const isTooMany = perPage !== null && !(Number(perPage) >= 1 && Number(perPage) <= perPageMax)
  const sorts = query.getAll("sort").map((text) => text.replace(/:(asc|desc)$/u, ""))
  const { sortFields = sorts } = operation
  return [
    ...[...query.keys()].flatMap((name) => (operation.query.includes(name) ? [] : [`query: ${name} is not known`])),
    ...(operation.queryRequired ?? []).flatMap((name) => (query.has(name) ? [] : [`query: ${name} is missing`])),
    ...(isTooMany ? [`query: per_page is ${perPage}`] : []),
    ...sorts.flatMap((field) => (sortFields.includes(field) ? [] : [`query: no sorting by ${field}`]))
  ]
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const ofRequest = (sent: Sent): string[] => {
  const operation = operationOf(sent)
  if (operation === undefined) return [`${sent.method} ${sent.path} is not known`]
  const problems = ofQuery(operation, sent.query)
  if (operation.body === undefined) return sent.body === undefined ? problems : [...problems, "body: none is taken"]
  if (sent.body === undefined) return operation.mayOmitBody === true ? problems : [...problems, "body: is missing"]
  const body = parsed(sent.body)
  if (!isFields(body)) return [...problems, "body: is no object"]
  const { eitherOf = [] } = operation
  const given = eitherOf.filter((key) => body[key] !== undefined)
  const isEither = eitherOf.length === 0 || given.length === 1
  return [
    ...problems,
    ...ofBody(operation.body, body),
    ...(isEither ? [] : [`body: not one of ${eitherOf.join(", ")}`])
  ]
}
