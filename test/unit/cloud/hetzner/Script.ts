/** An API that answers as a test says, request by request, and a project over it. What is asked beyond it is a failure. */
import { assert } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import * as HetznerCloud from "../../../../src/cloud/hetzner/HetznerCloud.ts"
import { Cloud, type CloudProject } from "../../../../src/ports/Cloud.ts"
import { HttpExchange, type HttpReply, type HttpRequest, NoReply, NotSent } from "../../../../src/ports/HttpExchange.ts"
import { virtually } from "../../virtually.ts"

export const token = "a-token-that-must-not-be-seen"

/** `never`: the connection is silent for ever. */
export type Answer = "lost" | "not sent" | "never" | { readonly status: number; readonly body: unknown }
/** Method and path with query, then the answer. */
export type Line = readonly [request: string, answer: Answer]

const ids = new Map([
  ["node-1", 41],
  ["node-2", 42]
])
const serverId = (name: string | undefined): number | null => (name === undefined ? null : (ids.get(name) ?? null))

export const floatingIp = (server?: string, parts: object = {}) => ({
  id: 7,
  name: "web",
  description: null,
  created: "2026-01-30T23:50:00Z",
  ip: "192.0.2.9",
  type: "ipv4",
  server: serverId(server),
  dns_ptr: [],
  home_location: { id: 1, name: "fsn1", network_zone: "eu-central", country: "DE" },
  blocked: false,
  protection: { delete: false },
  labels: { claim: "uid-1", cluster: "c" },
  ...parts
})
export const ok = (body: unknown, status = 200): Answer => ({ status, body })
export const single = (server?: string, parts: object = {}): Answer => ok({ floating_ip: floatingIp(server, parts) })
export const page = (
  items: ReadonlyArray<unknown>,
  nextPage: number | null = null,
  total: number | null = null
): Answer => ok({ floating_ips: items, meta: { pagination: { page: 1, next_page: nextPage, total_entries: total } } })
export const action = (status: string, id = 9, error: unknown = null) => ({
  id,
  command: "assign_floating_ip",
  status,
  progress: 0,
  error
})
export const accepted = (id = 9): Answer => ok({ action: action("running", id) }, 201)
export const refused = (status: number, code: string, message = code): Answer =>
  ok({ error: { code, message, details: null } }, status)

const replyOf = (answer: Exclude<Answer, string>): HttpReply => ({
  status: answer.status,
  headers: { "x-correlation-id": "c0ffee", "ratelimit-limit": "3600", "ratelimit-remaining": "3000" },
  body: typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body)
})

const describeRequest = ({ body, method, url }: HttpRequest): string =>
  `${method} ${url.replace("http://api.test/v1", "")}${body === undefined ? "" : ` ${body}`}`

/** Runs a program on a project whose API answers by these lines, and asserts that all of them were asked, in order. */
export const played = <A, E>(
  lines: ReadonlyArray<Line>,
  program: (project: CloudProject) => Effect.Effect<A, E>
): A => {
  const left = [...lines]
  const asked: Array<string> = []
  const send: HttpExchange["Service"]["send"] = (request) =>
    Effect.suspend((): Effect.Effect<HttpReply, NoReply | NotSent> => {
      const text = describeRequest(request)
      asked.push(text)
      const [, answer] = left.shift() ?? ["", "never" as const]
      if (answer === "never") return Effect.never
      if (answer === "lost") return Effect.fail(new NoReply({ message: "socket hang up" }))
      if (answer === "not sent") return Effect.fail(new NotSent({ message: "connect ECONNREFUSED" }))
      return Effect.succeed(replyOf(answer))
    })
  const layer = Layer.provide(
    HetznerCloud.layer({ endpoint: "http://api.test/v1", userAgent: "test" }),
    Layer.succeed(HttpExchange, HttpExchange.of({ send }))
  )
  const run = Effect.gen(function* () {
    const cloud = yield* Cloud
    return yield* program(yield* cloud.open(Redacted.make(token)))
  })
  const result = virtually(Effect.orDie(Effect.provide(run, layer)))
  assert.deepStrictEqual(
    asked,
    lines.map(([request]) => request)
  )
  return result
}
