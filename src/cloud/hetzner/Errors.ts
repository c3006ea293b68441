/**
 * Hetzner's errors in the words of the port: by code, never by status, of which 423 is `locked` (wait) as well as
 * `protected` (final), and `must_be_unassigned` came with two.
 */
import { Option, Schema } from "effect"
import * as Cloud from "../../ports/Cloud.ts"
import type { HttpReply, HttpRequest, NoReply, NotSent } from "../../ports/HttpExchange.ts"
import * as RetryAfter from "./RetryAfter.ts"
import { ErrorReply } from "./Wire.ts"

interface Facts {
  readonly code: string
  readonly detail: string
  readonly correlationId: string
  readonly isWrite: boolean
  /** As the reply asks; 0: it does not. */
  readonly retryAfterMillis: number
}
type Translate = (facts: Facts) => Cloud.Reason

/** The bucket refills by about one request a second; the headers say when it is full, which nobody need wait for. */
const refillMillis = 1_000

const rateLimited: Translate = ({ retryAfterMillis }) =>
  new Cloud.RateLimited({ retryAfterMillis: Math.max(refillMillis, retryAfterMillis) })
const unauthorized: Translate = () => new Cloud.Unauthorized()
const forbidden: Translate = () => new Cloud.Forbidden()
const refused: Translate = () => new Cloud.Refused()
const conflict: Translate = () => new Cloud.Conflict()
const locked: Translate = () => new Cloud.Locked()
const assigned: Translate = () => new Cloud.Assigned()
const unavailable: Translate = () => new Cloud.Unavailable()
/** Of a write nobody knows how far it came. */
const unfinished: Translate = ({ isWrite }) => (isWrite ? new Cloud.ReplyLost() : new Cloud.Unavailable())

const reasonByCode: { readonly [code: string]: Translate } = {
  unauthorized,
  token_readonly: forbidden,
  forbidden,
  maintenance: unavailable,
  resource_limit_exceeded: () => new Cloud.QuotaExceeded(),
  not_found: () => new Cloud.NotFound(),
  uniqueness_error: () => new Cloud.NameTaken(),
  conflict,
  resource_unavailable: () => new Cloud.OutOfStock(),
  must_be_unassigned: assigned,
  floating_ip_assigned: assigned,
  locked,
  resource_locked: locked,
  protected: () => new Cloud.Protected(),
  rate_limit_exceeded: rateLimited,
  server_error: unfinished,
  bad_gateway: unfinished,
  unavailable: unfinished,
  timeout: unfinished,
  unknown_error: unfinished
}

/** Where something on the way answered that does not speak JSON, as edges do with 502 and 504. */
const byStatus = (status: number): Translate => {
  if (status === 401) return unauthorized
  if (status === 429) return rateLimited
  return status >= 500 ? unfinished : refused
}

const decodeError = Schema.decodeUnknownOption(Schema.fromJsonString(ErrorReply))

const isWrite = ({ method }: Pick<HttpRequest, "method">): boolean => method !== "GET"

/** `path` without the base, as people look it up in the documentation. */
export const requestName = (request: Pick<HttpRequest, "method">, path: string): string => `${request.method} ${path}`

/** `wallMillis`: the time of day. */
export const ofReply = (
  request: Pick<HttpRequest, "method">,
  path: string,
  reply: HttpReply,
  wallMillis: number
): Cloud.CloudError => {
  const said = Option.getOrUndefined(decodeError(reply.body))?.error
  const facts: Facts = {
    code: said?.code ?? "",
    detail: said?.message ?? `status ${reply.status}`,
    correlationId: reply.headers["x-correlation-id"] ?? "",
    isWrite: isWrite(request),
    retryAfterMillis: RetryAfter.millisOf(reply, wallMillis)
  }
  const { code, correlationId, detail } = facts
  const translate = reasonByCode[code] ?? byStatus(reply.status)
  return new Cloud.CloudError({
    request: requestName(request, path),
    reason: translate(facts),
    code,
    detail,
    correlationId
  })
}

export const ofSilence = (
  request: Pick<HttpRequest, "method">,
  path: string,
  error: Pick<NotSent | NoReply, "_tag" | "message">
): Cloud.CloudError =>
  new Cloud.CloudError({
    request: requestName(request, path),
    reason: error._tag === "NoReply" && isWrite(request) ? new Cloud.ReplyLost() : new Cloud.Unavailable(),
    code: "",
    detail: error.message,
    correlationId: ""
  })

/** One element of a list; the list itself is understood. */
export const ofElement = (path: string, called: string, detail: string): Cloud.CloudError =>
  new Cloud.CloudError({
    request: `GET ${path}`,
    reason: new Cloud.Malformed(),
    code: "",
    detail: `${called} is not understood: ${detail}`,
    correlationId: ""
  })

/** A reply of success that cannot be read. What was written is written, so it must be read back. */
export const ofMalformed = (
  request: Pick<HttpRequest, "method">,
  path: string,
  reply: HttpReply,
  detail: string
): Cloud.CloudError =>
  new Cloud.CloudError({
    request: requestName(request, path),
    reason: isWrite(request) ? new Cloud.ReplyLost() : new Cloud.Malformed(),
    code: "",
    detail: `the reply is not understood: ${detail}`,
    correlationId: reply.headers["x-correlation-id"] ?? ""
  })
