/**
 * One HTTP request and its whole reply: what a cloud adapter stands on, so that the adapter that ships also runs in the
 * simulation, over a cloud in memory. It repeats nothing and judges no status.
 */
import { Context, Schema } from "effect"
import type { Effect, Redacted } from "effect"

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  readonly url: string
  /** A bearer token (RFC 6750); apart from the other headers, so that none of them need be kept out of logs. */
  readonly token: Redacted.Redacted
  readonly headers: { readonly [name: string]: string }
  readonly body?: string | undefined
}

export interface HttpReply {
  readonly status: number
  /** Names in lower case. */
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/** No connection: the request reached nobody. */
export class NotSent extends Schema.TaggedError<NotSent>()("NotSent", { message: Schema.String }) {}
/** It was sent, or may have been, and no whole reply came. */
export class NoReply extends Schema.TaggedError<NoReply>()("NoReply", { message: Schema.String }) {}

export class HttpExchange extends Context.Service<
  HttpExchange,
  { readonly send: (request: HttpRequest) => Effect.Effect<HttpReply, NotSent | NoReply> }
>()("plenuslb/ports/HttpExchange") {}
