/**
 * A pool of connections: node:https, HTTP/1.1, keep-alive. (Measured: undici and fetch cost 20-30 MiB more, and over HTTP/2
 * one black-holed session failed every request for 46 s.)
 *
 * - `maxSockets` stays unlimited: it would count watches, and a pool full of watches starves all other requests.
 * - The agent's `timeout` closes a connection that was idle for 3 s and spares open watches. A path may die silently;
 *   each dead idle connection would cost one request its whole deadline.
 * - For the same reason `dropIdle` is called whenever a request ran into its deadline: what else lies idle in the pool
 *   went the same way.
 * - No spans, no `traceparent` and `b3` headers: nobody reads them, and their ids cost randomness.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, type Scope } from "effect"
import { HttpClient } from "effect/http"

export interface PooledClient {
  readonly client: HttpClient.HttpClient
  /** Each request on a connection of its own, which is closed after it. */
  readonly fresh: HttpClient.HttpClient
  /** Closes the connections that no request uses now. */
  readonly dropIdle: Effect.Effect<void>
}

type AgentOptions = Parameters<typeof NodeHttpClient.makeAgent>[0]

const idleTimeoutMillis = 3000

/**
 * Between the head of a reply and its body. Over TLS Node reports a request as written one turn of the event loop later;
 * a fast reply can be read to its end before that, and the client of Effect 4.1.0 then takes the request for unfinished
 * and destroys the connection (measured: 300 lists on 5-17 connections instead of 1).
 */
const nextTurn = Effect.callback<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

const over = (agents: NodeHttpClient.HttpAgent["Service"]) =>
  NodeHttpClient.makeNodeHttp.pipe(
    Effect.provideService(NodeHttpClient.HttpAgent, agents),
    Effect.map(
      HttpClient.transformResponse((response) =>
        Effect.tap(
          Effect.provideService(response, HttpClient.TracerDisabledWhen, () => true),
          nextTurn
        )
      )
    )
  )

export const make = Effect.fnUntraced(function* (
  options: AgentOptions
): Effect.fn.Return<PooledClient, never, Scope.Scope> {
  const agents = yield* NodeHttpClient.makeAgent({ ...options, keepAlive: true, timeout: idleTimeoutMillis })
  const single = yield* NodeHttpClient.makeAgent({ ...options, keepAlive: false })
  return {
    client: yield* over(agents),
    fresh: yield* over(single),
    dropIdle: Effect.sync(() => {
      for (const agent of [agents.http, agents.https]) {
        for (const sockets of Object.values(agent.freeSockets)) sockets?.forEach((socket) => socket.destroy())
      }
    })
  }
})
