/**
 * The API server's words translated into the port's reasons, once, by table. The `reason` of the Status decides, then
 * its causes, and the HTTP status only where a proxy without a Status answered: measured on 1.36, server-side apply
 * answers 500 for an undeclared field (permanent), a failed precondition and a foreign field manager are both 409, and
 * a resourceVersion ahead of the server is a 504.
 *
 * What matters most is the difference between "nothing was written" (`Unavailable`) and "it may have been" (`ReplyLost`).
 * A write is `ReplyLost` as soon as its bytes may have left: also when the API server itself lost the answer of etcd
 * (500 InternalError "etcdserver: request timed out", 500 ServerTimeout, 504 Timeout), and behind a proxy that gave up.
 */
import type { HttpClientError } from "effect/http"
import { Option, Schema } from "effect"
import * as Port from "../../ports/Kubernetes.ts"
import { describe, mayHaveBeenSent } from "../http/Failure.ts"

export type Method = Port.KubernetesError["method"]

/** An answer other than 2xx. */
export interface Refusal {
  readonly status: number
  /** Header, in seconds. */
  readonly retryAfter?: string | undefined
  readonly body: string
}

/** meta/v1 Status, as far as it is read. Everything is optional: proxies answer with anything. */
export const Status = Schema.Struct({
  kind: Schema.Literal("Status"),
  message: Schema.optional(Schema.String),
  reason: Schema.optional(Schema.String),
  code: Schema.optional(Schema.Finite),
  details: Schema.optional(
    Schema.Struct({
      name: Schema.optional(Schema.String),
      kind: Schema.optional(Schema.String),
      retryAfterSeconds: Schema.optional(Schema.Finite),
      causes: Schema.optional(
        Schema.Array(
          Schema.Struct({
            reason: Schema.optional(Schema.String),
            message: Schema.optional(Schema.String),
            field: Schema.optional(Schema.String)
          })
        )
      )
    })
  )
})
export type Status = typeof Status.Type

export const decodeStatus = Schema.decodeUnknownOption(Status)
const decodeStatusText = Schema.decodeUnknownOption(Schema.fromJsonString(Status))

const isWrite = (method: Method): boolean => !(method === "get" || method === "list" || method === "watch")

export const reasonOfRefusal = (method: Method, refusal: Refusal): Port.Reason => {
  const status = Option.getOrUndefined(decodeStatusText(refusal.body))
  return status === undefined
    ? reasonOfForeignReply(method, refusal)
    : reasonOfStatus(method, { ...status, code: status.code ?? refusal.status }, refusal.retryAfter)
}

/** Of a refusal, or of the `ERROR` event of a watch, which comes in a reply of 200. */
export const reasonOfStatus = (method: Method, status: Status, retryAfter?: string): Port.Reason => {
  const facts: Facts = {
    method,
    status,
    code: status.code ?? 0,
    message: status.message ?? status.reason ?? `status ${status.code ?? "unknown"}`,
    pauseMillis: pauseMillis(retryAfter, status.details?.retryAfterSeconds)
  }
  if (status.details?.causes?.some((cause) => cause.reason === "ResourceVersionTooLarge") === true) {
    return new Port.Unavailable({ message: facts.message })
  }
  return (byReason[status.reason ?? ""] ?? byCode(facts.code))(facts)
}

interface Facts {
  readonly method: Method
  readonly status: Status
  readonly code: number
  readonly message: string
  readonly pauseMillis: number | undefined
}
type Translate = (facts: Facts) => Port.Reason

const invalid: Translate = ({ message }) => new Port.Invalid({ message })
/**
 * A merge patch that names the uid of an earlier object of the same name is 422 "field is immutable" (measured, 1.36),
 * and means what 409 means elsewhere: the object was recreated.
 */
const invalidOrRecreated: Translate = (facts) => {
  const causes = facts.status.details?.causes ?? []
  const recreated = causes.length > 0 && causes.every((cause) => cause.field === "metadata.uid")
  return recreated ? new Port.Conflict({ message: facts.message }) : invalid(facts)
}
const expired: Translate = () => new Port.Expired()
const throttled: Translate = ({ pauseMillis }) => new Port.Throttled({ retryAfterMillis: pauseMillis ?? 1000 })
/** A read has no outcome to lose. */
const outcomeUnknown: Translate = ({ method, message }) =>
  isWrite(method) ? new Port.ReplyLost({ message }) : new Port.Unavailable({ message })

/** Messages of an InternalError that was raised before anything was stored; the reason alone does not tell. */
const fieldNotDeclared = /field not declared in schema|failed to create (manager for|typed patch object)/
const webhookFailed = /failed calling webhook/

const internalError: Translate = (facts) => {
  if (fieldNotDeclared.test(facts.message)) return invalid(facts)
  if (webhookFailed.test(facts.message)) return new Port.Unavailable({ message: facts.message })
  return outcomeUnknown(facts)
}

const byReason: { readonly [reason: string]: Translate } = {
  // A missing object is named; for a missing kind the server answers in text, or without a name.
  NotFound: ({ status }) => new Port.NotFound({ kindMissing: (status.details?.name ?? "") === "" }),
  AlreadyExists: () => new Port.AlreadyExists(),
  Conflict: ({ message }) => new Port.Conflict({ message }),
  Expired: expired,
  Gone: expired,
  Invalid: invalidOrRecreated,
  BadRequest: invalid,
  RequestEntityTooLarge: invalid,
  UnsupportedMediaType: invalid,
  NotAcceptable: invalid,
  MethodNotAllowed: invalid,
  Unauthorized: ({ message }) => new Port.Denied({ status: 401, message }),
  Forbidden: ({ message }) => new Port.Denied({ status: 403, message }),
  TooManyRequests: throttled,
  ServiceUnavailable: (facts) =>
    facts.pauseMillis === undefined ? new Port.Unavailable({ message: facts.message }) : throttled(facts),
  Timeout: outcomeUnknown,
  ServerTimeout: outcomeUnknown,
  InternalError: internalError
}

const reasonNames: { readonly [code: number]: string } = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  409: "Conflict",
  410: "Expired",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout"
}

const byCode = (code: number): Translate => {
  const known = byReason[reasonNames[code] ?? ""]
  if (known !== undefined) return known
  if (code >= 500) return outcomeUnknown
  if (code >= 400) return invalid
  return ({ message }) => new Port.Malformed({ message: `unexpected status ${code}: ${message}` })
}

/** A proxy's answer, or the API server's own `404 page not found` for a kind that it does not serve. */
const reasonOfForeignReply = (method: Method, { status, retryAfter, body }: Refusal): Port.Reason => {
  const text = body.trim().slice(0, 200)
  const message = `HTTP ${status}${text === "" ? "" : `: ${text}`}`
  return byCode(status)({
    method,
    status: { kind: "Status" },
    code: status,
    message,
    pauseMillis: pauseMillis(retryAfter)
  })
}

const pauseMillis = (header: string | undefined, seconds?: number): number | undefined => {
  const fromHeader = header === undefined ? Number.NaN : Number(header)
  if (Number.isFinite(fromHeader) && fromHeader >= 0) return fromHeader * 1000
  return seconds === undefined ? undefined : seconds * 1000
}

/** No answer, or half of one. */
export const reasonOfTransportFailure = (method: Method, error: HttpClientError.HttpClientError): Port.Reason => {
  const message = describe(error.reason.cause)
  return isWrite(method) && mayHaveBeenSent(error) ? new Port.ReplyLost({ message }) : new Port.Unavailable({ message })
}

export const reasonOfDeadline = (method: Method, millis: number): Port.Reason => {
  const message = `no answer within ${millis / 1000} s`
  return isWrite(method) ? new Port.ReplyLost({ message }) : new Port.Unavailable({ message })
}
