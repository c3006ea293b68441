/**
 * A project of Hetzner Cloud over HTTP, for the official clients and the lab. Plain node:http, because a lost reply is a
 * connection that breaks, and only the socket can do that.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { randomUUID } from "node:crypto"
import { text } from "node:stream/consumers"
import { Effect, Schema } from "effect"
import { type HetznerProject, make, type Options } from "../../src/memory/hetzner/HetznerProject.ts"
import * as Control from "./Control.ts"

export interface ServerOptions extends Omit<Options, "nowMillis" | "baseUrl" | "correlationId"> {
  readonly listen: string
  /** 0 takes a free one. */
  readonly port: number
}

class NotListening extends Schema.TaggedError<NotListening>()("NotListening", { message: Schema.String }) {}

/** Serves until its scope closes; the base URL has the version in it, as clients want it. */
export const serve = Effect.fnUntraced(function* (options: ServerOptions) {
  const server = createServer()
  yield* Effect.acquireRelease(listen(server, options), () => close(server))
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : options.port
  const host = options.listen.includes(":") ? `[${options.listen}]` : options.listen
  const baseUrl = `http://${host}:${port}/v1`
  const project = make({
    ...options,
    baseUrl,
    nowMillis: () => Date.now(),
    correlationId: () => randomUUID().replaceAll("-", "")
  })
  server.on("request", (request, response) => {
    answer(project, request, response).catch((error: unknown) => {
      console.error(error)
      response.destroy()
    })
  })
  return { baseUrl, project }
})

const listen = (server: Server, { listen, port }: ServerOptions): Effect.Effect<void, NotListening> =>
  Effect.callback((resume) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const message = `Cannot listen on ${listen}, port ${port}: ${error.code ?? error.message}. Take another --port.`
      resume(Effect.fail(new NotListening({ message })))
    })
    server.listen(port, listen, () => resume(Effect.void))
  })

const close = (server: Server): Effect.Effect<void> =>
  Effect.callback((resume) => {
    server.close(() => resume(Effect.void))
    // Clients keep their connections.
    server.closeAllConnections()
  })

const answer = async (project: HetznerProject, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { headers, method = "GET", url = "/" } = request
  const { pathname, searchParams } = new URL(url, "http://localhost")
  const body = await text(request)
  if (pathname.startsWith("/control/")) {
    const reply = Control.answer(project, method, pathname, body)
    response.writeHead(reply.status, reply.body === undefined ? {} : { "content-type": "application/json" })
    response.end(reply.body === undefined ? undefined : `${JSON.stringify(reply.body)}\n`)
    return
  }
  const token = /^Bearer (.+)$/u.exec(headers.authorization ?? "")?.[1]
  const reply = project.handle({ method, path: pathname, query: searchParams, body, token })
  if (reply.isLost === true) {
    request.socket.destroy()
    return
  }
  const length = reply.body === undefined ? {} : { "content-length": Buffer.byteLength(reply.body) }
  response.writeHead(reply.status, { ...reply.headers, ...length })
  response.end(reply.body)
}
