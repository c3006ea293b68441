/** Requests over a real socket on loopback. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as NodeHttpExchange from "../../../../src/live/http/NodeHttpExchange.ts"
import { HttpExchange, type HttpRequest } from "../../../../src/ports/HttpExchange.ts"
import { serve } from "../kubernetes/support.ts"

const request = (url: string, parts: Partial<HttpRequest> = {}): HttpRequest => ({
  method: "POST",
  url,
  token: Redacted.make("secret"),
  headers: { "content-type": "application/json", "user-agent": "plenuslb/test" },
  body: '{"type":"ipv4"}',
  ...parts
})

const send = (asked: HttpRequest) => HttpExchange.use((exchange) => exchange.send(asked))

describe("NodeHttpExchange", () => {
  it.live("sends method, path, token and body, and answers with status, headers and text", () =>
    Effect.gen(function* () {
      const server = yield* serve((incoming, response) => {
        let body = ""
        incoming.on("data", (chunk: Buffer) => (body += chunk.toString()))
        incoming.on("end", () => {
          response.writeHead(418, { "X-Correlation-Id": "c0ffee" })
          response.end([incoming.method, incoming.url, incoming.headers.authorization, body].join(" "))
        })
      })
      const reply = yield* send(request(`${server.url}/v1/floating_ips?page=1`))
      assert.strictEqual(reply.status, 418)
      assert.strictEqual(reply.headers["x-correlation-id"], "c0ffee")
      assert.strictEqual(reply.body, 'POST /v1/floating_ips?page=1 Bearer secret {"type":"ipv4"}')
    }).pipe(Effect.provide(NodeHttpExchange.layer))
  )

  it.live("tells a request that reached nobody from one whose reply was lost", () =>
    Effect.gen(function* () {
      const server = yield* serve((incoming) => incoming.socket.destroy())
      const lost = yield* Effect.flip(send(request(server.url)))
      const nobody = yield* Effect.flip(send(request("http://127.0.0.1:1")))
      assert.deepStrictEqual([lost._tag, nobody._tag], ["NoReply", "NotSent"])
    }).pipe(Effect.provide(NodeHttpExchange.layer))
  )

  it.live("keeps a connection for the next request, and drops those that lie idle when one is not answered", () =>
    Effect.gen(function* () {
      const server = yield* serve((incoming, response) => {
        if (incoming.url !== "/silent") response.end("ok")
      })
      const asked = request(server.url, { method: "GET", body: undefined })
      yield* send(asked)
      yield* send(asked)
      assert.strictEqual(server.accepted(), 1)
      yield* Effect.timeoutOption(send({ ...asked, url: `${server.url}/silent` }), "50 millis")
      yield* server.allClosed
    }).pipe(Effect.provide(NodeHttpExchange.layer))
  )
})
