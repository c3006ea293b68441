/**
 * One request to the Hetzner Cloud API: its turn in the budget, a deadline, and the reply decoded or as one of the port's
 * reasons. It repeats nothing: a create is bought twice by who repeats it blindly, so callers read back.
 */
import { Clock, Duration, Effect, Redacted, Result, Schema, type Scope } from "effect"
import type { CloudError, Priority } from "../../ports/Cloud.ts"
import { HttpExchange, type HttpReply, type HttpRequest, NoReply } from "../../ports/HttpExchange.ts"
import { monotonicMillis } from "../../reconcile/Monotonic.ts"
import * as Errors from "./Errors.ts"
import * as RateGate from "./RateGate.ts"

export interface Call<A> {
  readonly method: HttpRequest["method"]
  readonly path: string
  /** A name may come several times: `id=1&id=2`. */
  readonly query?: ReadonlyArray<readonly [name: string, value: string]>
  /** Without a key that the API does not know: it refuses those. */
  readonly body?: { readonly [key: string]: unknown }
  /** Undefined: the reply has no body. */
  readonly reply: Schema.Decoder<A> | undefined
  readonly priority: Priority
}

export interface ApiClient {
  /** The last write, if it was refused because the token may only read; undefined: one was acted on since, or none refused. */
  readonly refusedWrite: () => CloudError | undefined
  /** `permission` is asked for once it is its turn, which may come long after the call; where it fails, nothing is sent. */
  readonly call: <A, E = never>(call: Call<A>, permission?: Effect.Effect<void, E>) => Effect.Effect<A, CloudError | E>
}

export interface ApiClientOptions {
  readonly token: Redacted.Redacted
  /** With the version: `https://api.hetzner.cloud/v1`. */
  readonly endpoint: string
  readonly userAgent: string
}

/** From the moment a request is sent to the last byte of its reply. */
const deadline = Duration.seconds(15)
/** A token that was refused is not asked with for so long: failed authentication costs of the same budget. */
const refusedMillis = 30_000

/** Waiting for actions has a budget of its own, and a larger one. */
const isOfActions = (path: string): boolean => path.startsWith("/actions")

const queryOf = (query: Call<unknown>["query"] = []): string =>
  query.length === 0 ? "" : `?${query.map((pair) => pair.map((each) => encodeURIComponent(each)).join("=")).join("&")}`

/** Refused by what the project has, which nobody is asked who may not write. */
const reasonsOfWriters: ReadonlySet<string> = new Set([
  "NameTaken",
  "Conflict",
  "Locked",
  "Assigned",
  "Protected",
  "QuotaExceeded",
  "OutOfStock"
])

const decoded = <A>(call: Call<A>, reply: HttpReply): Result.Result<A, CloudError> => {
  if (call.reply === undefined) return Result.succeed(undefined as A)
  const read = Schema.decodeUnknownResult(Schema.fromJsonString(call.reply))(reply.body)
  return Result.mapError(read, (error) => Errors.ofMalformed(call, call.path, reply, error.message))
}

/** What answers in the API's place may quote what it was asked with, and what it says is told to users. */
const withoutToken = (token: Redacted.Redacted) => {
  const secret = Redacted.value(token)
  const scrub = (text: string): string => (secret === "" ? text : text.replaceAll(secret, "<redacted>"))
  return ({ body, headers, status }: HttpReply): HttpReply => ({
    status,
    body: scrub(body),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, scrub(value)]))
  })
}

export const make = Effect.fnUntraced(function* ({
  endpoint,
  token,
  userAgent
}: ApiClientOptions): Effect.fn.Return<ApiClient, never, HttpExchange | Scope.Scope> {
  const { send } = yield* HttpExchange
  const resources = yield* RateGate.make
  const actions = yield* RateGate.make
  let refusal: { readonly error: CloudError; readonly untilMillis: number } | undefined

  const requestOf = ({ body, method, path, query }: Call<unknown>): HttpRequest => ({
    method,
    url: `${endpoint}${path}${queryOf(query)}`,
    token,
    headers: {
      accept: "application/json",
      "user-agent": userAgent,
      ...(body !== undefined && { "content-type": "application/json" })
    },
    body: body === undefined ? undefined : JSON.stringify(body)
  })

  const exchange = (call: Call<unknown>) =>
    send(requestOf(call)).pipe(
      Effect.timeoutOrElse({
        duration: deadline,
        orElse: () => Effect.fail(new NoReply({ message: `no reply within ${Duration.format(deadline)}` }))
      }),
      Effect.mapBoth({
        onSuccess: withoutToken(token),
        onFailure: (error) => Errors.ofSilence(call, call.path, error)
      })
    )

  /** Reads say nothing of it, and neither does a write that was refused for the token, the rate, or not at all. */
  let refusedWrite: CloudError | undefined
  const learnRight = ({ method }: Call<unknown>, error: CloudError | undefined) => {
    if (method === "GET") return
    if (error?.reason._tag === "Forbidden") refusedWrite = error
    else if (error === undefined || reasonsOfWriters.has(error.reason._tag)) refusedWrite = undefined
  }

  const call = Effect.fnUntraced(function* <A, E = never>(
    asked: Call<A>,
    permission: Effect.Effect<void, E> = Effect.void
  ) {
    const nowMillis = yield* monotonicMillis
    if (refusal !== undefined && nowMillis < refusal.untilMillis) return yield* Effect.fail(refusal.error)
    const gate = isOfActions(asked.path) ? actions : resources
    const reply = yield* gate.through(asked.priority, Effect.andThen(permission, exchange(asked)))
    const isDone = reply.status >= 200 && reply.status < 300
    const error = isDone ? undefined : Errors.ofReply(asked, asked.path, reply, yield* Clock.currentTimeMillis)
    learnRight(asked, error)
    if (error === undefined) return yield* Effect.fromResult(decoded(asked, reply))
    if (error.reason._tag === "Unauthorized") {
      refusal = { error, untilMillis: (yield* monotonicMillis) + refusedMillis }
    }
    return yield* Effect.fail(error)
  })

  return { call, refusedWrite: () => refusedWrite }
})
