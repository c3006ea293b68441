/**
 * One request to the API server: credentials, deadline, bound, and the reply as JSON or as one of the port's reasons.
 * It never repeats a request on its own (the queue does, by category), with one exception: after a 401 whose token has
 * been replaced since, the same request goes out once more, since a refused request did nothing.
 */
import { Context, Duration, Effect, Redacted, Semaphore } from "effect"
import { HttpClientRequest, type HttpClientResponse } from "effect/http"
import { Malformed, type Reason, Unavailable } from "../../ports/Kubernetes.ts"
import { ClusterAccess } from "./ClusterAccess.ts"
import { type Method, reasonOfDeadline, reasonOfRefusal, reasonOfTransportFailure } from "./errors.ts"
import { HttpTransport } from "./HttpTransport.ts"

export interface Call {
  readonly method: Method
  readonly verb: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  readonly path: string
  readonly query?: { readonly [key: string]: string }
  readonly body?: unknown
  /** On a connection of its own, and without waiting for a permit. */
  readonly isFresh?: boolean | undefined
  /** Of the body; `application/json` unless given. */
  readonly contentType?: string
}

export interface ApiClient {
  /** The whole reply within `RequestTimeout`. */
  readonly exchange: (call: Call) => Effect.Effect<unknown, Reason>
  /** A reply that goes on for long (a watch): its head within 10 s, its body unbounded, and it counts as no request. */
  readonly open: (call: Call) => Effect.Effect<HttpClientResponse.HttpClientResponse, Reason>
}

export interface ApiClientOptions {
  /** Requests at once, watches not counted. How many are fair is for API Priority and Fairness to say, not for us. */
  readonly maxInFlight?: number | undefined
  /** Also the field manager of writes that name none, up to the first slash. */
  readonly userAgent?: string | undefined
}

/** From the moment a request may be sent to the last byte of its reply. Provide another around a single call. */
export const RequestTimeout = Context.Reference<Duration.Duration>(
  "plenuslb/live/kubernetes/ApiClient/RequestTimeout",
  {
    defaultValue: () => Duration.seconds(10)
  }
)

/** A watch is answered at once. Of two API servers of which one is a black hole, every other connection ends here. */
const openTimeout = Duration.seconds(10)
const defaultMaxInFlight = 64

export const make = Effect.fnUntraced(function* (options?: ApiClientOptions) {
  const access = yield* ClusterAccess
  const transport = yield* HttpTransport
  const permits = yield* Semaphore.make(options?.maxInFlight ?? defaultMaxInFlight)
  const userAgent = options?.userAgent ?? "plenuslb"

  const authorization = access.authorization.pipe(
    Effect.mapError((error): Reason => new Unavailable({ message: error.message }))
  )

  const send = (call: Call, credentials: Redacted.Redacted | undefined) =>
    (call.isFresh === true ? transport.fresh : transport.client)
      .execute(requestOf(access.server, userAgent, call, credentials))
      .pipe(Effect.mapError((error) => reasonOfTransportFailure(call.method, error)))

  /** Any answer but 401, or the second 401. */
  const attempt = Effect.fnUntraced(function* (call: Call) {
    const credentials = yield* authorization
    const response = yield* send(call, credentials)
    if (response.status !== 401 || credentials === undefined) return response
    yield* access.refused(credentials)
    const renewed = yield* authorization
    if (renewed === undefined || Redacted.value(renewed) === Redacted.value(credentials)) return response
    yield* Effect.ignore(response.text)
    return yield* send(call, renewed)
  })

  const accepted = Effect.fnUntraced(function* (call: Call) {
    const response = yield* attempt(call)
    if (response.status >= 200 && response.status < 300) return response
    const retryAfter = response.headers["retry-after"]
    const body = yield* readText(call.method, response)
    return yield* Effect.fail(reasonOfRefusal(call.method, { status: response.status, retryAfter, body }))
  })

  /** Whatever ran into its deadline, or into the caller's, makes the idle connections suspect too. */
  const within = <A>(call: Call, duration: Duration.Duration, effect: Effect.Effect<A, Reason>) =>
    effect.pipe(
      Effect.onInterrupt(() => transport.dropIdle),
      Effect.timeoutOrElse({
        duration,
        orElse: () => Effect.fail(reasonOfDeadline(call.method, Duration.toMillis(duration)))
      })
    )

  const exchange = Effect.fnUntraced(function* (call: Call) {
    const timeout = yield* RequestTimeout
    const json = accepted(call).pipe(
      Effect.flatMap((response) => readText(call.method, response)),
      Effect.flatMap(parse)
    )
    const answered = within(call, timeout, json)
    return yield* call.isFresh === true ? answered : Semaphore.withPermit(permits, answered)
  })

  const api: ApiClient = { exchange, open: (call) => within(call, openTimeout, accepted(call)) }
  return api
})

const requestOf = (
  server: string,
  userAgent: string,
  call: Call,
  credentials: Redacted.Redacted | undefined
): HttpClientRequest.HttpClientRequest => {
  const request = HttpClientRequest.make(call.verb)(`${server}${call.path}`, {
    urlParams: call.query,
    headers: {
      accept: "application/json",
      "user-agent": userAgent,
      ...(credentials !== undefined && { authorization: Redacted.value(credentials) })
    }
  })
  return call.body === undefined
    ? request
    : HttpClientRequest.bodyText(request, JSON.stringify(call.body), call.contentType ?? "application/json")
}

const readText = (method: Method, response: HttpClientResponse.HttpClientResponse): Effect.Effect<string, Reason> =>
  Effect.mapError(response.text, (error) => reasonOfTransportFailure(method, error))

export const parse = (text: string): Effect.Effect<unknown, Reason> =>
  Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: () => new Malformed({ message: `not JSON: ${text.slice(0, 200)}` })
  })
