/** Answers and errors as the API gives them: sections "Errors" and "Getting started" of the API docs. */
import { Result } from "effect"
import type { Json, JsonObject } from "../kubernetes/Json.ts"

export interface Reply {
  readonly status: number
  /** Names in lower case. */
  readonly headers: { readonly [name: string]: string }
  /** Absent: no body at all, as with 204. */
  readonly body?: string
  /** All was done and nobody is told: the connection breaks instead. */
  readonly isLost?: true
}

/** What an operation gives before headers are put to it. */
export interface Answer {
  readonly status: 200 | 201 | 204
  readonly body?: JsonObject
  /** Page of a list: header `Link`. */
  readonly link?: string
}

export interface ApiError {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly details: Json
}

/** Prose of the API docs and live readings; the schema has no statuses. An unknown code is a 400 here. */
const statuses: { readonly [code: string]: number } = {
  json_error: 400,
  unauthorized: 401,
  token_readonly: 401,
  forbidden: 403,
  maintenance: 403,
  resource_limit_exceeded: 403,
  not_found: 404,
  method_not_allowed: 405,
  uniqueness_error: 409,
  conflict: 409,
  deprecated_api_endpoint: 410,
  resource_unavailable: 412,
  invalid_input: 422,
  service_error: 422,
  unsupported_error: 422,
  must_be_unassigned: 422,
  floating_ip_assigned: 422,
  locked: 423,
  protected: 423,
  rate_limit_exceeded: 429,
  server_error: 500,
  bad_gateway: 502,
  unavailable: 503,
  timeout: 504
}

export const error = (code: string, message: string, details: Json = null): ApiError => ({
  status: statuses[code] ?? 400,
  code,
  message,
  details
})

export const fail = (code: string, message: string, details: Json = null): Result.Result<never, ApiError> =>
  Result.fail(error(code, message, details))

export const notFound = (kind: string, id: number): ApiError => error("not_found", `${kind} with ID '${id}' not found`)

export interface InvalidField {
  readonly name: string
  readonly messages: ReadonlyArray<string>
}

export const invalidInput = (...fields: ReadonlyArray<InvalidField>): ApiError => {
  const names = fields.map(({ name }) => `'${name}'`).join(", ")
  return error("invalid_input", `invalid input in field${fields.length === 1 ? "" : "s"} ${names}`, {
    fields: fields.map(({ name, messages }) => ({ name, messages }))
  })
}

export const limitExceeded = (message: string, limit: string): ApiError =>
  error("resource_limit_exceeded", message, { limits: [{ name: limit }] })
