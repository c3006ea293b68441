/** What the tests of the adapter share: a kind, an access, and API servers made of a function or of node:http. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { Effect, Layer, Redacted, Schema } from "effect"
import { HttpClient, type HttpClientRequest, HttpClientResponse } from "effect/http"
import { ObjectMeta, type ResourceType } from "../../../../src/api/KubernetesObject.ts"
import { ClusterAccess } from "../../../../src/live/kubernetes/ClusterAccess.ts"
import type { ApiClientOptions } from "../../../../src/live/kubernetes/ApiClient.ts"
import { HttpTransport } from "../../../../src/live/kubernetes/HttpTransport.ts"
import * as LiveKubernetes from "../../../../src/live/kubernetes/LiveKubernetes.ts"

const Thing = Schema.Struct({
  apiVersion: Schema.Literal("test.plenus.io/v1"),
  kind: Schema.Literal("Thing"),
  metadata: ObjectMeta,
  size: Schema.Finite
})
export type Thing = typeof Thing.Type

export const things: ResourceType<Thing> = {
  group: "test.plenus.io",
  version: "v1",
  kind: "Thing",
  plural: "things",
  namespaced: true,
  schema: Thing
}

export const thing = (name: string, resourceVersion = "1"): Thing => ({
  apiVersion: "test.plenus.io/v1",
  kind: "Thing",
  metadata: { name, namespace: "default", uid: `uid-${name}`, resourceVersion },
  size: 1
})

const accessTo = (server: string, access?: Partial<ClusterAccess["Service"]>): Layer.Layer<ClusterAccess> =>
  Layer.succeed(
    ClusterAccess,
    ClusterAccess.of({
      server,
      tls: {},
      namespace: undefined,
      authorization: Effect.succeed(Redacted.make("Bearer one")),
      refused: () => Effect.void,
      ...access
    })
  )

export interface Asked {
  readonly method: string
  readonly url: URL
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

const clientOver = (answer: (asked: Asked) => Effect.Effect<Response>) =>
  HttpClient.make((request, url) =>
    Effect.map(answer({ method: request.method, url, headers: request.headers, body: bodyOf(request) }), (response) =>
      HttpClientResponse.fromWeb(request, response)
    )
  )

/** The adapter over a function instead of a network. The function may never answer: `Effect.never`. */
export const overFunction = (
  answer: (asked: Asked) => Effect.Effect<Response>,
  options?: ApiClientOptions & {
    readonly access?: Partial<ClusterAccess["Service"]>
    readonly dropIdle?: Effect.Effect<void>
  }
) =>
  LiveKubernetes.layerNoTransport(options).pipe(
    Layer.provide(accessTo("http://api.test", options?.access)),
    Layer.provide(
      Layer.succeed(
        HttpTransport,
        HttpTransport.of({
          client: clientOver(answer),
          fresh: clientOver(answer),
          dropIdle: options?.dropIdle ?? Effect.void
        })
      )
    )
  )

const bodyOf = ({ body }: HttpClientRequest.HttpClientRequest): string =>
  body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : ""

export const json = (value: unknown, status = 200, headers?: { [name: string]: string }): Response =>
  new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json", ...headers } })

export const status = (code: number, reason: string, message = reason, details?: unknown) => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  code,
  reason,
  message,
  details
})

/** A reply whose bytes are given piece by piece, and which stays open unless it is told to end. */
export const streaming = (pieces: ReadonlyArray<string | Uint8Array>, ending: "open" | "end"): Response => {
  const encoder = new TextEncoder()
  return new Response(
    new ReadableStream({
      start: (controller) => {
        for (const piece of pieces) controller.enqueue(typeof piece === "string" ? encoder.encode(piece) : piece)
        if (ending === "end") controller.close()
      }
    })
  )
}

export interface LoopbackServer {
  readonly url: string
  readonly port: number
  /** Sockets ever accepted. */
  readonly accepted: () => number
  readonly open: () => number
  /** Resolves when no connection is left. */
  readonly allClosed: Effect.Effect<void>
}

/** A node:http server on loopback, for what only sockets show. */
export const serve = (handler: (request: IncomingMessage, response: ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: LoopbackServer; readonly close: Effect.Effect<void> }>((resume) => {
      const sockets = new Set<Socket>()
      const onEmpty = new Set<() => void>()
      let accepted = 0
      const server = createServer(handler)
      server.on("connection", (socket) => {
        accepted += 1
        sockets.add(socket)
        socket.once("close", () => {
          sockets.delete(socket)
          if (sockets.size === 0) onEmpty.forEach((listener) => listener())
        })
      })
      const allClosed = Effect.callback<void>((done) => {
        if (sockets.size === 0) done(Effect.void)
        else onEmpty.add(() => done(Effect.void))
      })
      const close = Effect.callback<void>((done) => {
        server.close(() => done(Effect.void))
        sockets.forEach((socket) => socket.destroy())
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const facts = {
          url: `http://127.0.0.1:${port}`,
          port,
          accepted: () => accepted,
          open: () => sockets.size,
          allClosed
        }
        resume(Effect.succeed({ server: facts, close }))
      })
    }),
    ({ close }) => close
  ).pipe(Effect.map(({ server }) => server))

/** The adapter over real sockets. */
export const overNetwork = (url: string, options?: ApiClientOptions) =>
  LiveKubernetes.layer(options).pipe(Layer.provide(accessTo(url)))

/** Web streams deliver through promises, which the test clock does not wait for. */
export const settle = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
