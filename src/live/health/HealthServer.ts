/**
 * What the kubelet's probes and Prometheus ask for, with the answers of v0.4: `/health` 200 `ok` or 500 `dead`, `/ready`
 * 200 `ok` or 423 `not-ready`, `/metrics` in Prometheus' text format, anything else 404. A probe that dies answers no.
 * An operator answers other nodes here, too (`POST /witness`): whoever holds this port is the only one on its node.
 *
 * Plain node:http: four routes need no router, and the agent's memory is counted.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { Effect, FiberSet, Metric, Option, Schema, type Scope } from "effect"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { messageBytesMax } from "../../api/WitnessMessage.ts"
import type { Respond } from "../../ports/Peers.ts"

export interface HealthOptions<R> {
  /** `HEALTH_PORT`; 0 takes a free one (tests). */
  readonly port: number
  /** All addresses of the pod unless given. */
  readonly host?: string
  /** False: restarting this process would help. */
  readonly liveness: Effect.Effect<boolean, never, R>
  /** False: it cannot do its work yet. */
  readonly readiness: Effect.Effect<boolean, never, R>
  /** Answers what voters are asked; undefined: this is none. */
  readonly witness?: Respond | undefined
  /** Sets the figures that are only known when somebody asks; what it does not set any more is not shown. */
  readonly measure?: Effect.Effect<void, never, R>
}

export class HealthPortError extends Schema.TaggedError<HealthPortError>()("HealthPortError", {
  port: Schema.Int,
  /** Node's error code, such as EADDRINUSE. */
  code: Schema.String
}) {
  override get message(): string {
    const why = causes[this.code] ?? `listening failed with ${this.code}`
    return `Cannot serve health checks on port ${this.port}: ${why}. Set HEALTH_PORT to another port.`
  }
}

const causes: { readonly [code: string]: string } = {
  EADDRINUSE: "another process listens on it (in the host's network all pods of a node share its ports)",
  EACCES: "ports below 1024 need a privilege that this process does not have",
  EADDRNOTAVAIL: "the address to listen on is none of this host"
}

/** Serves until its scope closes, and gives the port that it listens on. */
export const serve = Effect.fnUntraced(function* <R>(
  options: HealthOptions<R>
): Effect.fn.Return<number, HealthPortError, R | Scope.Scope> {
  const run = yield* FiberSet.makeRuntime<R>()
  const server = createServer((request, response) => {
    run(Effect.map(answer(options, request), (reply) => write(response, request, reply)))
  })
  yield* Effect.acquireRelease(listen(server, options), () => close(server))
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : options.port
})

interface Reply {
  readonly status: number
  readonly body: string
  readonly contentType?: string
}

const answer = <R>(options: HealthOptions<R>, request: IncomingMessage): Effect.Effect<Reply, never, R> => {
  const { method, url } = request
  const path = url?.split("?", 1)[0]
  if (method === "POST" && path === "/witness" && options.witness !== undefined) return vote(options.witness, request)
  if (method !== "GET" && method !== "HEAD") return Effect.succeed({ status: 405, body: "only GET" })
  switch (path) {
    case "/health":
      return probe(options.liveness, { status: 500, body: "dead" })
    case "/ready":
      return probe(options.readiness, { status: 423, body: "not-ready" })
    case "/metrics":
      return Effect.map(metricsOf(options), (body) => ({ status: 200, body, contentType: metricsType }))
    default:
      return Effect.succeed({ status: 404, body: "not found" })
  }
}

/** Whoever asks waits for a second at most. */
const bodyMillisMax = 1_000

const vote = (witness: Respond, request: IncomingMessage): Effect.Effect<Reply> =>
  bodyOf(request).pipe(
    Effect.timeoutOption(bodyMillisMax),
    Effect.flatMap((body) => {
      const text = Option.getOrUndefined(body)
      if (text === undefined) return Effect.succeed({ status: 413, body: "too long, or too slow" })
      return Effect.map(witness(text), (sealed) =>
        sealed === undefined
          ? { status: 403, body: "not sealed with our key, or for another node" }
          : { status: 200, body: sealed, contentType: "application/json" }
      )
    }),
    Effect.catchCause((cause) =>
      Effect.as(Effect.logError("a voter's answer died", cause), { status: 500, body: "no answer" })
    )
  )

/** Undefined: more than any question has. What comes after that is not read. */
const bodyOf = (request: IncomingMessage): Effect.Effect<string | undefined> =>
  Effect.callback((resume) => {
    const chunks: Array<Buffer> = []
    let length = 0
    const take = (chunk: Buffer) => {
      length += chunk.length
      chunks.push(chunk)
      if (length <= messageBytesMax) return
      request.pause()
      resume(Effect.succeed(undefined))
    }
    request.on("data", take)
    request.once("end", () => resume(Effect.succeed(Buffer.concat(chunks).toString("utf8"))))
    request.once("error", () => resume(Effect.succeed(undefined)))
    return Effect.sync(() => request.off("data", take))
  })

const metricsOf = <R>({ measure = Effect.void }: HealthOptions<R>): Effect.Effect<string, never, R> =>
  Effect.gen(function* () {
    const measured = yield* Effect.andThen(measure, PrometheusMetrics.format()).pipe(
      Effect.provideService(Metric.MetricRegistry, new Map())
    )
    return [measured, yield* PrometheusMetrics.format()].filter((text) => text !== "").join("\n")
  })

const metricsType = "text/plain; version=0.0.4; charset=utf-8"

const probe = <R>(healthy: Effect.Effect<boolean, never, R>, otherwise: Reply): Effect.Effect<Reply, never, R> =>
  healthy.pipe(
    Effect.catchCause((cause) => Effect.as(Effect.logError("health probe died", cause), false)),
    Effect.map((ok) => (ok ? { status: 200, body: "ok" } : otherwise))
  )

const write = (response: ServerResponse, request: IncomingMessage, { status, body, contentType }: Reply): void => {
  // After a body that was not read to its end the connection is of no use.
  const connection = status === 413 ? { connection: "close" } : {}
  response.writeHead(status, { "content-type": contentType ?? "text/plain; charset=utf-8", ...connection })
  response.end(request.method === "HEAD" ? undefined : body)
}

const listen = (
  server: Server,
  { port, host }: Pick<HealthOptions<never>, "port" | "host">
): Effect.Effect<void, HealthPortError> =>
  Effect.callback((resume) => {
    const onError = (error: NodeJS.ErrnoException) =>
      resume(Effect.fail(new HealthPortError({ port, code: error.code ?? error.message })))
    server.once("error", onError)
    server.listen({ port, host }, () => {
      server.off("error", onError)
      resume(Effect.void)
    })
  })

/** Does not wait for keep-alive connections of the kubelet. */
const close = (server: Server): Effect.Effect<void> =>
  Effect.callback((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })
