/** Lists: pages, their `meta` and `Link`, and `sort`: sections "Pagination" and "Sorting" of the API docs. */
import { Result } from "effect"
import type { JsonObject } from "../kubernetes/Json.ts"
import type { Query } from "./Faults.ts"
import { type Answer, type ApiError, invalidInput } from "./Reply.ts"

const perPageDefault = 25
const perPageMax = 50

export interface PageOptions {
  /** `https://api.hetzner.cloud/v1`, for `Link`. */
  readonly baseUrl: string
  /** What happens beyond 50 a page: the docs say "maximum", no client has told how it is enforced. */
  readonly perPage: "refuse" | "clamp"
}

export interface ListRequest {
  readonly path: string
  readonly query: Query
  /** Name of the list in the body. */
  readonly key: string
}

export const page = (
  { baseUrl, perPage }: PageOptions,
  { key, path, query }: ListRequest,
  items: ReadonlyArray<JsonObject>
): Result.Result<Answer, ApiError> =>
  Result.gen(function* () {
    const wanted = yield* countParameter(query, "per_page", perPageDefault)
    const number = yield* countParameter(query, "page", 1)
    if (wanted > perPageMax && perPage === "refuse") {
      return yield* Result.fail(invalidInput({ name: "per_page", messages: [`must be at most ${perPageMax}`] }))
    }
    const size = Math.min(wanted, perPageMax)
    const last = Math.max(1, Math.ceil(items.length / size))
    const pages = {
      previous_page: number > 1 ? number - 1 : null,
      next_page: number < last ? number + 1 : null,
      last_page: last
    }
    const pagination = { page: number, per_page: size, ...pages, total_entries: items.length }
    const links = linksOf(pages, (to) => `${baseUrl}${path}?${queryText(query, to, size)}`)
    return {
      status: 200,
      body: { [key]: items.slice((number - 1) * size, number * size), meta: { pagination } },
      ...(links === "" ? {} : { link: links })
    }
  })

const countParameter = (query: Query, name: string, otherwise: number): Result.Result<number, ApiError> => {
  const text = query.get(name)
  if (text === null) return Result.succeed(otherwise)
  if (/^[1-9]\d{0,8}$/u.test(text)) return Result.succeed(Number(text))
  return Result.fail(invalidInput({ name, messages: ["must be a positive whole number"] }))
}

interface Pages {
  readonly previous_page: number | null
  readonly next_page: number | null
  readonly last_page: number
}

const linksOf = (pages: Pages, urlOf: (page: number) => string): string =>
  (
    [
      ["prev", pages.previous_page],
      ["next", pages.next_page],
      ["last", pages.next_page === null ? null : pages.last_page]
    ] as const
  )
    .flatMap(([relation, to]) => (to === null ? [] : [`<${urlOf(to)}>; rel="${relation}"`]))
    .join(", ")

/** Parameters that must come again for the next page to be of the same list. */
const kept = ["name", "label_selector", "status", "sort"]

const queryText = (query: Query, page: number, perPage: number): string =>
  [
    ...kept.flatMap((name) => query.getAll(name).map((value) => `${name}=${encodeURIComponent(value)}`)),
    `page=${page}`,
    `per_page=${perPage}`
  ].join("&")

/** `sort=created:desc&sort=id`: the first counts most; without one by id. */
export const sorted = <A extends JsonObject>(
  query: Query,
  fields: ReadonlyArray<string>,
  items: ReadonlyArray<A>
): Result.Result<ReadonlyArray<A>, ApiError> => {
  const orders: Array<(a: A, b: A) => number> = []
  for (const text of query.getAll("sort")) {
    const [field = "", direction = "asc", ...rest] = text.split(":")
    if (!fields.includes(field) || !["asc", "desc"].includes(direction) || rest.length > 0) {
      return Result.fail(invalidInput({ name: "sort", messages: [`cannot sort by '${text}'`] }))
    }
    orders.push((a, b) => compare(a[field], b[field]) * (direction === "asc" ? 1 : -1))
  }
  orders.push((a, b) => compare(a["id"], b["id"]))
  return Result.succeed(items.toSorted((a, b) => orders.reduce((found, order) => found || order(a, b), 0)))
}

/** Times are RFC 3339 of equal length, so that their text sorts as they do; null is before all. */
const compare = (a: unknown, b: unknown): number => {
  if (typeof a === "number" && typeof b === "number") return a - b
  const [left, right] = [String(a ?? ""), String(b ?? "")]
  return left < right ? -1 : left > right ? 1 : 0
}
