/** A project with a clock that is moved by hand, and requests in one line. */
import { assert } from "@effect/vitest"
import { make, type HetznerProject, type Options } from "../../../../src/memory/hetzner/HetznerProject.ts"
import type { Reply } from "../../../../src/memory/hetzner/Reply.ts"

export const token = "secret"
export const readonlyToken = "looking"

export interface Asked extends Reply {
  /** The body, decoded; undefined when there is none. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any
}

export interface Harness {
  readonly project: HetznerProject
  /** `POST /floating_ips/7/actions/assign`, with the path below `/v1`. */
  readonly ask: (request: string, body?: unknown, token?: string | null) => Asked
  readonly pass: (millis: number) => void
  /** Creates in fsn1, and gives the id. */
  readonly create: (more?: object) => number
}

/** 2026-01-30T23:50:00Z */
export const startMillis = 1_769_817_000_000

export const start = (options: Partial<Options> = {}): Harness => {
  let nowMillis = startMillis
  const project = make({
    nowMillis: () => nowMillis,
    tokens: [
      { secret: token, name: "controller", mayWrite: true },
      { secret: readonlyToken, name: "viewer", mayWrite: false }
    ],
    ...options
  })
  const ask: Harness["ask"] = (request, body, secret = token) => {
    const [, method = "", path = "", query = ""] = /^(\S+) ([^?]*)\??(.*)$/.exec(request) ?? []
    const reply = project.handle({
      method,
      path: `/v1${path}`,
      query: new URLSearchParams(query),
      body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
      token: secret ?? undefined
    })
    const isJson = reply.headers["content-type"] === "application/json"
    return { ...reply, json: isJson ? JSON.parse(reply.body ?? "") : undefined }
  }
  return {
    project,
    ask,
    pass: (millis) => {
      nowMillis += millis
    },
    create: (more = {}) => {
      const { json, status } = ask("POST /floating_ips", { type: "ipv4", home_location: "fsn1", ...more })
      assert.strictEqual(status, 201, JSON.stringify(json))
      return json.floating_ip.id
    }
  }
}

/** `423 locked`, or `200` alone. */
export const told = ({ json, status }: Asked): string =>
  json?.error === undefined ? String(status) : `${status} ${json.error.code}`
