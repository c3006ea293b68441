/** What all requests have in common: routes, tokens, pages, headers and budgets. */
import { assert, describe, it } from "@effect/vitest"
import { readonlyToken, start, startMillis, told } from "./harness.ts"

const replay = () => {
  const { ask, create, pass, project } = start()
  const server = project.console.addServer({ name: "node-1" })
  const id = create()
  const replies = [ask(`POST /floating_ips/${id}/actions/assign`, { server: server.id }), ask("GET /servers")]
  pass(1000)
  return [...replies, ask(`GET /floating_ips/${id}`)]
}

describe("HetznerProject.handle", () => {
  // oxfmt-ignore
  it.each<[string, string, string | null, string]>([
    ["an unknown route, before the token is looked at", "GET /gone",              null,          "404 not_found"],
    ["an id that is none",                              "GET /servers/web",       null,          "404 not_found"],
    ["another method",                                  "PUT /servers",           null,          "405 method_not_allowed"],
    ["no token",                                        "GET /locations",         null,          "401 unauthorized"],
    ["a wrong token",                                   "GET /locations",         "wrong",       "401 unauthorized"],
    ["reading with a read-only token",                  "GET /locations",         readonlyToken, "200"],
    ["writing with a read-only token",                  "DELETE /floating_ips/9", readonlyToken, "403 forbidden"],
    ["an id of nothing",                                "GET /floating_ips/9",    "secret",      "404 not_found"],
    ["an id of another kind",                           "GET /floating_ips/1",    "secret",      "404 not_found"],
    ["what is gone",                                    "GET /datacenters",       "secret",      "410 deprecated_api_endpoint"],
    ["what is gone, by id",                             "GET /datacenters/4",     "secret",      "410 deprecated_api_endpoint"],
    ["a server",                                        "GET /servers/1",         "secret",      "200"],
    ["a location",                                      "GET /locations/6",       "secret",      "200"],
    ["a location that is none",                         "GET /locations/7",       "secret",      "404 not_found"]
  ])("answers %s: %s with %s: %s", (_, request, token, expected) => {
    const { ask, project } = start()
    project.console.addServer({ name: "node-1" })
    assert.strictEqual(told(ask(request, undefined, token)), expected)
  })

  it.each([
    ["GET /gone", null, { code: "not_found", message: "api route not found", details: null }],
    ["GET /servers", null, { code: "unauthorized", message: "token is required", details: null }],
    ["GET /servers", "x", { code: "unauthorized", message: "the token you have provided is invalid", details: null }]
  ])("says the vendor's words: %s", (request, token, error) => {
    assert.deepStrictEqual(start().ask(request, undefined, token).json, { error })
  })

  it("gives each answer a correlation id of its own, in lower-case hex without dashes", () => {
    const { ask } = start()
    const ids = [ask("GET /servers"), ask("GET /gone"), ask("GET /servers", undefined, "wrong")].map(
      ({ headers }) => headers["x-correlation-id"] ?? ""
    )
    for (const id of ids) assert.match(id, /^[0-9a-f]{16,}$/)
    assert.strictEqual(new Set(ids).size, 3)
  })

  it("forgets tokens that were replaced", () => {
    const { ask, project } = start()
    project.setTokens([{ secret: "next", name: "controller", mayWrite: true }])
    assert.strictEqual(told(ask("GET /locations")), "401 unauthorized")
    assert.strictEqual(told(ask("GET /locations", undefined, "next")), "200")
  })

  it("counts requests by method and route", () => {
    const { ask, project } = start()
    ask("GET /floating_ips/1")
    ask("GET /floating_ips/2")
    ask("DELETE /floating_ips/2")
    ask("GET /gone")
    assert.deepStrictEqual(
      [...project.requests()],
      [
        ["GET /floating_ips/{id}", 2],
        ["DELETE /floating_ips/{id}", 1]
      ]
    )
  })

  it("is the same run for the same requests", () => {
    assert.deepStrictEqual(replay(), replay())
  })
})

const sixty = () => {
  const harness = start({ floatingIpsMax: 100, baseUrl: "http://127.0.0.1:8080/v1" })
  for (let n = 0; n < 60; n++) harness.create({ labels: { team: "web" } })
  return harness
}

describe("pages", () => {
  // oxfmt-ignore
  it.each([
    ["",                     25, { page: 1, per_page: 25, previous_page: null, next_page: 2,    last_page: 3, total_entries: 60 }],
    ["?page=2",              25, { page: 2, per_page: 25, previous_page: 1,    next_page: 3,    last_page: 3, total_entries: 60 }],
    ["?page=3",              10, { page: 3, per_page: 25, previous_page: 2,    next_page: null, last_page: 3, total_entries: 60 }],
    ["?per_page=50",         50, { page: 1, per_page: 50, previous_page: null, next_page: 2,    last_page: 2, total_entries: 60 }],
    ["?page=9",               0, { page: 9, per_page: 25, previous_page: 8,    next_page: null, last_page: 3, total_entries: 60 }],
    ["?label_selector=!team", 0, { page: 1, per_page: 25, previous_page: null, next_page: null, last_page: 1, total_entries: 0 }]
  ])("%s: %i items", (query, count, pagination) => {
    const { json } = sixty().ask(`GET /floating_ips${query}`)
    assert.strictEqual(json.floating_ips.length, count)
    assert.deepStrictEqual(json.meta, { pagination })
  })

  it("links to the pages around, of the same list", () => {
    const { headers } = sixty().ask("GET /floating_ips?page=2&per_page=20&label_selector=team%3Dweb&sort=id:desc")
    const rest = "label_selector=team%3Dweb&sort=id%3Adesc"
    const url = "http://127.0.0.1:8080/v1/floating_ips"
    assert.strictEqual(
      headers["link"],
      `<${url}?${rest}&page=1&per_page=20>; rel="prev", ` +
        `<${url}?${rest}&page=3&per_page=20>; rel="next", ` +
        `<${url}?${rest}&page=3&per_page=20>; rel="last"`
    )
  })

  it("refuses more than 50 a page, or clamps it, as it is told", () => {
    assert.strictEqual(told(start().ask("GET /servers?per_page=51")), "422 invalid_input")
    const { json } = start({ perPage: "clamp" }).ask("GET /servers?per_page=51")
    assert.strictEqual(json.meta.pagination.per_page, 50)
  })

  it.each(["page=0", "page=x", "per_page=0", "per_page=-1", "page=1.5", "sort=name", "sort=id:down", "sort=id:asc:x"])(
    "refuses ?%s",
    (query) => {
      assert.strictEqual(told(start().ask(`GET /floating_ips?${query}`)), "422 invalid_input")
    }
  )
})

const threeServers = () => {
  const harness = start()
  const { console } = harness.project
  console.addServer({ name: "b", labels: { role: "edge" } })
  harness.pass(1000)
  console.addServer({ name: "a", status: "off", location: "ash", types: ["ipv6"] })
  harness.pass(1000)
  console.addServer({ name: "c", types: ["ipv4"] })
  return harness
}

describe("GET /servers", () => {
  // oxfmt-ignore
  it.each([
    ["",                              "b a c"],
    ["?sort=name",                    "a b c"],
    ["?sort=name:desc",               "c b a"],
    ["?sort=created:desc",            "c a b"],
    ["?sort=created:desc&sort=id",    "c a b"],
    ["?name=a",                       "a"],
    ["?name=A",                       ""],
    ["?status=off&status=deleting",   "a"],
    ["?status=running",               "b c"],
    ["?label_selector=role=edge",     "b"],
    ["?label_selector=role!=edge",    "a c"],
    ["?label_selector=role=edge&name=a", ""]
  ])("%s: %s", (query, names) => {
    const { json } = threeServers().ask(`GET /servers${query}`)
    assert.strictEqual(json.servers.map((each: { name: string }) => each.name).join(" "), names)
  })

  it("tells which families a server has, where it is, and what is routed to it", () => {
    const { ask, project } = threeServers()
    const [, a, c] = project.truth.servers()
    const v6 = project.console.addFloatingIp({ type: "ipv6", server: a?.id ?? 0 })
    const [first, second] = [ask(`GET /servers/${a?.id}`).json.server, ask(`GET /servers/${c?.id}`).json.server]
    assert.isNull(first.public_net.ipv4)
    assert.match(first.public_net.ipv6.ip, /^([0-9a-f]+:){4}:\/64$/)
    assert.deepStrictEqual(first.public_net.floating_ips, [v6.id])
    assert.strictEqual(first.location.network_zone, "us-east")
    assert.strictEqual(first.server_type.name, "cpx11")
    assert.isNull(second.public_net.ipv6)
    assert.strictEqual(second.locked, false)
  })

  it("refuses a selector that it cannot read", () => {
    assert.strictEqual(told(threeServers().ask("GET /servers?label_selector==x")), "422 invalid_input")
  })
})

describe("GET /locations", () => {
  it("has the vendor's locations and their network zones", () => {
    const { json } = start().ask("GET /locations")
    assert.deepStrictEqual(
      json.locations.map((each: { name: string; network_zone: string }) => `${each.name} ${each.network_zone}`),
      ["fsn1 eu-central", "nbg1 eu-central", "hel1 eu-central", "ash us-east", "hil us-west", "sin ap-southeast"]
    )
    assert.strictEqual(json.meta.pagination.total_entries, 6)
    assert.strictEqual(start().ask("GET /locations?name=hel1").json.locations[0].id, 3)
  })
})

const twoInANetwork = () => {
  const harness = start()
  const { console } = harness.project
  const network = console.addNetwork("private", "10.1.0.0/16")
  const [a, b] = ["a", "b"].map((name) => console.addServer({ name, networks: [network.id] }).id)
  return { ...harness, network: network.id, a, b }
}

describe("alias IPs", () => {
  it("are replaced as a whole, at most five, none twice in a network", () => {
    const { a, ask, b, network, pass } = twoInANetwork()
    const change = (server: number | undefined, ...ips: ReadonlyArray<string>) =>
      told(ask(`POST /servers/${server}/actions/change_alias_ips`, { network, alias_ips: ips }))
    assert.strictEqual(change(a, "10.1.9.1", "10.1.9.2"), "201")
    assert.strictEqual(change(a, "10.1.9.3"), "423 locked")
    assert.strictEqual(ask(`GET /servers/${a}`).json.server.locked, true)
    pass(1000)
    assert.strictEqual(change(a, "10.1.9.2"), "201")
    pass(1000)
    assert.deepStrictEqual(ask(`GET /servers/${a}`).json.server.private_net[0].alias_ips, ["10.1.9.2"])
    assert.strictEqual(change(b, "10.1.9.2"), "400 ip_not_available")
    assert.strictEqual(change(b, "1", "2", "3", "4", "5", "6"), "422 invalid_input")
    assert.strictEqual(change(99), "404 not_found")
  })

  it("need a network, which tells its servers", () => {
    const { a, ask, b, network } = twoInANetwork()
    const other = ask(`POST /servers/${a}/actions/change_alias_ips`, { network: 99, alias_ips: [] })
    assert.strictEqual(told(other), "422 invalid_input")
    assert.deepStrictEqual(ask(`GET /networks/${network}`).json.network.servers, [a, b])
    assert.strictEqual(told(ask("GET /networks/99")), "404 not_found")
  })
})

const fullAt = (seconds: number) => String(startMillis / 1000 + seconds)

describe("budgets of requests", () => {
  it("is 3600, given back at one a second, and told when it is full again", () => {
    const { ask, pass } = start()
    const { headers } = ask("GET /servers")
    assert.strictEqual(headers["ratelimit-limit"], "3600")
    assert.strictEqual(headers["ratelimit-remaining"], "3599")
    assert.strictEqual(headers["ratelimit-reset"], fullAt(1))
    for (let n = 0; n < 9; n++) ask("GET /servers")
    assert.strictEqual(ask("GET /servers").headers["ratelimit-reset"], fullAt(11))
    pass(4000)
    assert.strictEqual(ask("GET /servers").headers["ratelimit-remaining"], "3592")
    pass(3_600_000)
    assert.strictEqual(ask("GET /servers").headers["ratelimit-remaining"], "3599")
  })

  it("refuses when it is spent, failed authentications included, and has one again after a second", () => {
    const { ask, pass } = start({ generalBudget: { requestsMax: 2, refillPerSecond: 1 } })
    ask("GET /servers", undefined, "wrong")
    ask("GET /servers")
    const refused = ask("GET /servers")
    assert.strictEqual(told(refused), "429 rate_limit_exceeded")
    assert.strictEqual(refused.headers["ratelimit-remaining"], "0")
    assert.isUndefined(refused.headers["retry-after"])
    pass(1000)
    assert.strictEqual(told(ask("GET /servers")), "200")
    assert.strictEqual(told(ask("GET /servers")), "429 rate_limit_exceeded")
  })

  it("has another, higher one for actions", () => {
    const { ask, create, project } = start()
    const id = create()
    project.console.drainBudget()
    assert.strictEqual(told(ask("GET /servers")), "429 rate_limit_exceeded")
    for (const request of ["GET /actions?id=1", `GET /floating_ips/${id}/actions`]) {
      const { headers, status } = ask(request)
      assert.strictEqual(status, 200)
      assert.isAbove(Number(headers["ratelimit-limit"]), 3600)
    }
    assert.strictEqual(told(ask("GET /actions/1")), "404 not_found")
  })

  it("does not count what is no route", () => {
    const { ask } = start({ generalBudget: { requestsMax: 1, refillPerSecond: 1 } })
    ask("GET /gone")
    assert.strictEqual(told(ask("GET /servers")), "200")
  })
})
