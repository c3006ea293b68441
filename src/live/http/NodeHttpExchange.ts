/** Requests to anybody on the network, each with its own credentials. */
import { Effect, Layer, Redacted } from "effect"
import { type HttpClientError, HttpClientRequest } from "effect/http"
import { HttpExchange, type HttpRequest, NoReply, NotSent } from "../../ports/HttpExchange.ts"
import { describe, mayHaveBeenSent } from "./Failure.ts"
import * as PooledClient from "./PooledClient.ts"

const requestOf = ({ body, headers, method, token, url }: HttpRequest): HttpClientRequest.HttpClientRequest => {
  const request = HttpClientRequest.make(method)(url, {
    headers: { ...headers, authorization: `Bearer ${Redacted.value(token)}` }
  })
  return body === undefined ? request : HttpClientRequest.bodyText(request, body, headers["content-type"])
}

const failure = (error: HttpClientError.HttpClientError): NotSent | NoReply => {
  const message = describe(error.reason.cause)
  return mayHaveBeenSent(error) ? new NoReply({ message }) : new NotSent({ message })
}

export const layer: Layer.Layer<HttpExchange> = Layer.effect(
  HttpExchange,
  Effect.gen(function* () {
    const { client, dropIdle } = yield* PooledClient.make({})
    const send = Effect.fnUntraced(
      function* (request: HttpRequest) {
        const response = yield* client.execute(requestOf(request))
        return { status: response.status, headers: { ...response.headers }, body: yield* response.text }
      },
      Effect.mapError(failure),
      Effect.onInterrupt(() => dropIdle)
    )
    return HttpExchange.of({ send })
  })
)
