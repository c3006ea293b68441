/** The fake over HTTP: what only a connection can show, and its control endpoint. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { serve } from "../../hetzner-fake/Server.ts"

/** `broken`: the connection ended without an answer. */
const call = (method: string, url: string, body?: object) =>
  Effect.promise(async () => {
    const response = await fetch(url, {
      method,
      headers: { authorization: "Bearer secret" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    }).catch(() => undefined)
    const text = (await response?.text()) ?? ""
    const isJson = response?.headers.get("content-type") === "application/json"
    return {
      status: response?.status ?? "broken",
      headers: response?.headers,
      json: isJson ? JSON.parse(text) : text
    }
  })

const started = Effect.gen(function* () {
  const { baseUrl, project } = yield* serve({
    listen: "127.0.0.1",
    port: 0,
    actionTime: { polls: 0 },
    tokens: [{ secret: "secret", name: "controller", mayWrite: true }]
  })
  const server = project.console.addServer({ name: "node-1" }).id
  return {
    project,
    server,
    api: (method: string, path: string, body?: object) => call(method, `${baseUrl}${path}`, body),
    control: (method: string, path: string, body?: object) =>
      call(method, `${baseUrl.replace("/v1", "/control")}${path}`, body)
  }
})

const create = { type: "ipv4", home_location: "fsn1", name: "edge" }

describe("the fake over HTTP", () => {
  it.live("answers the API below /v1", () =>
    Effect.gen(function* () {
      const { api } = yield* started
      const created = yield* api("POST", "/floating_ips", create)
      assert.strictEqual(created.status, 201)
      assert.match(created.headers?.get("x-correlation-id") ?? "", /^[0-9a-f]{32}$/)
      assert.strictEqual(created.headers?.get("ratelimit-limit"), "3600")
      const { json } = yield* api("GET", "/floating_ips?name=edge&label_selector=%21team")
      assert.strictEqual(json.floating_ips.length, 1)
      const deleted = yield* api("DELETE", `/floating_ips/${created.json.floating_ip.id}`)
      assert.deepStrictEqual([deleted.status, deleted.json], [204, ""])
      assert.strictEqual((yield* api("GET", "/../gone")).status, 404)
    })
  )

  it.live("breaks the connection after it has done what was asked", () =>
    Effect.gen(function* () {
      const { api, control } = yield* started
      const route = "POST /floating_ips"
      assert.strictEqual((yield* control("POST", "/faults", { route, fault: { loseReply: true } })).status, 204)
      assert.strictEqual((yield* api("GET", "/locations")).status, 200)
      assert.strictEqual((yield* api("POST", "/floating_ips", create)).status, "broken")
      assert.strictEqual((yield* api("POST", "/floating_ips", create)).json.error.code, "uniqueness_error")
      const { json } = yield* control("GET", "/ledger")
      assert.deepStrictEqual(
        json.purchases.map(({ by, name }: { readonly by: string; readonly name: string }) => `${by} ${name}`),
        ["controller edge"]
      )
      assert.deepStrictEqual(json.requests, { "GET /locations": 1, "POST /floating_ips": 2 })
    })
  )

  it.live("answers 502 with HTML", () =>
    Effect.gen(function* () {
      const { api, control } = yield* started
      yield* control("POST", "/faults", { times: 3, fault: { badGateway: "before" } })
      assert.strictEqual((yield* api("GET", "/locations")).status, 502)
      const { headers, status } = yield* api("GET", "/servers")
      assert.deepStrictEqual([status, headers?.get("content-type")], [502, "text/html"])
      yield* control("DELETE", "/faults")
      assert.strictEqual((yield* api("GET", "/servers")).status, 200)
    })
  )

  it.live("is controlled: servers, floating IPs, tokens, budget", () =>
    Effect.gen(function* () {
      const { api, control, project, server } = yield* started
      assert.strictEqual((yield* control("PUT", "/servers/node-1", { status: "off" })).status, 204)
      assert.strictEqual(project.truth.servers()[0]?.status, "off")
      const second = yield* control("POST", "/servers", { name: "node-2", types: ["ipv6"], location: "hel1" })
      assert.deepStrictEqual([second.status, second.json.ipv4], [201, null])
      const mail = yield* control("POST", "/floating_ips", { type: "ipv4", name: "mail", server })
      const path = `/floating_ips/${mail.json.id}`
      yield* control("PUT", path, { isProtected: true, isBlocked: true, name: "post", labels: { team: "mail" } })
      const { floating_ip: floatingIp } = (yield* api("GET", path)).json
      assert.deepStrictEqual(
        [floatingIp.name, floatingIp.blocked, floatingIp.protection.delete, floatingIp.labels, floatingIp.server],
        ["post", true, true, { team: "mail" }, server]
      )
      assert.strictEqual((yield* control("DELETE", `/servers/${server}`)).status, 204)
      assert.isNull(project.truth.floatingIps()[0]?.server)
      assert.strictEqual((yield* control("DELETE", path)).status, 204)
      assert.strictEqual((yield* api("GET", path)).status, 404)
      yield* control("POST", "/drain")
      assert.strictEqual((yield* api("GET", "/servers")).status, 429)
      yield* control("PUT", "/tokens", { tokens: [] })
      assert.strictEqual((yield* api("GET", "/actions?id=1")).status, 401)
    })
  )

  it.live("tells a router where packets go: by server, and nowhere when unassigned or blocked", () =>
    Effect.gen(function* () {
      const { control, server } = yield* started
      const mail = yield* control("POST", "/floating_ips", { type: "ipv4", server })
      yield* control("POST", "/floating_ips", { type: "ipv6" })
      const [v4, v6] = ["198.18.0.1", "2001:db8:1:1::/64"]
      const routes = () => Effect.map(control("GET", "/routes"), ({ json }) => json)
      assert.deepStrictEqual(yield* routes(), [
        { ip: v4, server: "node-1" },
        { ip: v6, server: null }
      ])
      yield* control("PUT", `/floating_ips/${mail.json.id}`, { isBlocked: true })
      assert.deepInclude(yield* routes(), { ip: v4, server: null })
    })
  )

  it.live.each([
    [
      "POST",
      "/faults",
      { route: "GET /server", fault: {} },
      /there is no route GET \/server; there are: GET \/servers,/
    ],
    ["POST", "/faults", { fault: { looseReply: true } }, /invalid input in field 'fault'/],
    ["PUT", "/servers/node-9", { status: "off" }, /there is no server node-9/],
    ["PUT", "/servers/node-1", { status: "on" }, /invalid input in field 'status'/],
    ["DELETE", "/floating_ips/99", undefined, /no floating IP 99/],
    ["GET", "/gone", undefined, /there is no GET \/control\/gone; there are: GET \/control\/ledger/]
  ] as const)("says what is wrong with %s %s", ([method, path, body, sentence]) =>
    Effect.gen(function* () {
      const { control } = yield* started
      const { json, status } = yield* control(method, path, body)
      assert.include([400, 404], status)
      assert.match(json.error, sentence)
    })
  )
})
