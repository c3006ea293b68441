/** Buying, naming, labelling and deleting floating IPs. */
import { assert, describe, it } from "@effect/vitest"
import { type Asked, start, told } from "./harness.ts"

const withServer = (options: Parameters<typeof start>[0] = {}) => {
  const harness = start(options)
  return { ...harness, server: harness.project.console.addServer({ name: "node-1" }).id }
}

describe("POST /floating_ips", () => {
  it("answers as the reference exchange, name, description and labels included", () => {
    const { ask, server } = withServer({ ipOf: () => "2001:db8:1:7::/64" })
    const request = { type: "ipv6", server, name: "edge one", description: "demo", labels: { team: "web" } }
    const { headers, json, status } = ask("POST /floating_ips", request)
    assert.strictEqual(status, 201)
    assert.strictEqual(headers["content-type"], "application/json")
    const { action, floating_ip: floatingIp } = json
    assert.deepStrictEqual(floatingIp, {
      id: floatingIp.id,
      name: "edge one",
      description: "demo",
      created: "2026-01-30T23:50:00Z",
      ip: "2001:db8:1:7::/64",
      type: "ipv6",
      server,
      dns_ptr: [],
      home_location: {
        id: 1,
        name: "fsn1",
        description: "Falkenstein DC Park 1",
        country: "DE",
        city: "Falkenstein",
        latitude: 50.47612,
        longitude: 12.370071,
        network_zone: "eu-central"
      },
      blocked: false,
      protection: { delete: false },
      labels: { team: "web" }
    })
    assert.deepStrictEqual(action, {
      id: action.id,
      command: "assign_floating_ip",
      status: "running",
      progress: 0,
      started: "2026-01-30T23:50:00Z",
      finished: null,
      resources: [
        { id: server, type: "server" },
        { id: floatingIp.id, type: "floating_ip" }
      ],
      error: null
    })
  })

  it("has no action without a server", () => {
    const { ask } = start()
    const { json } = ask("POST /floating_ips", { type: "ipv4", home_location: "hel1" })
    assert.isNull(json.action)
    assert.isNull(json.floating_ip.server)
    assert.isNull(json.floating_ip.description)
    assert.match(json.floating_ip.ip, /^\d+\.\d+\.\d+\.\d+$/)
  })

  it("takes its location from the server", () => {
    const { ask, project } = start()
    const server = project.console.addServer({ name: "node-1", location: "hel1" }).id
    const { floating_ip: floatingIp } = ask("POST /floating_ips", { type: "ipv4", server }).json
    assert.strictEqual(floatingIp.home_location.name, "hel1")
  })

  // oxfmt-ignore
  it.each<[string, object | string | undefined, string]>([
    ["a location by id",          { type: "ipv4", home_location: 3 },                                "201"],
    ["a location by id, as text", { type: "ipv4", home_location: "3" },                              "201"],
    ["server null",               { type: "ipv4", home_location: "fsn1", server: null },             "201"],
    ["an empty description",      { type: "ipv4", home_location: "fsn1", description: "" },          "201"],
    ["no labels",                 { type: "ipv4", home_location: "fsn1", labels: {} },               "201"],
    ["a name with blanks",        { type: "ipv4", home_location: "fsn1", name: "edge one" },         "201"],
    ["a name of the other type",  { type: "ipv6", home_location: "fsn1", name: "taken" },            "201"],
    ["a name that is taken",      { type: "ipv4", home_location: "fsn1", name: "taken" },            "409 uniqueness_error"],
    ["no type",                   { home_location: "fsn1" },                                         "422 invalid_input"],
    ["another type",              { type: "ipv5", home_location: "fsn1" },                           "422 invalid_input"],
    ["no place",                  { type: "ipv4" },                                                  "422 invalid_input"],
    ["two places",                { type: "ipv4", home_location: "fsn1", server: 1 },                "422 invalid_input"],
    ["no such location",          { type: "ipv4", home_location: "fsn9" },                           "422 invalid_input"],
    ["no such server",            { type: "ipv4", server: 99 },                                      "404 not_found"],
    ["a key that is not known",   { type: "ipv4", home_location: "fsn1", tags: [] },                 "422 invalid_input"],
    ["a server as text",          { type: "ipv4", server: "1" },                                     "422 invalid_input"],
    ["a label that is none",      { type: "ipv4", home_location: "fsn1", labels: { a: "b/c" } },     "422 invalid_input"],
    ["what is no JSON",           "{type:",                                                          "400 json_error"],
    ["what is no object",         "[]",                                                              "400 json_error"],
    ["no body",                   undefined,                                                         "400 json_error"]
  ])("with %s", (_, body, expected) => {
    const { ask, create } = withServer()
    create({ name: "taken" })
    assert.strictEqual(told(ask("POST /floating_ips", body)), expected)
  })

  it("names the fields that are wrong", () => {
    const { ask, create } = start()
    create({ name: "taken" })
    const wrong = ask("POST /floating_ips", { home_location: "fsn1", tags: [] }).json.error
    assert.deepStrictEqual(wrong.details.fields.map((each: { name: string }) => each.name).toSorted(), ["tags", "type"])
    for (const { messages } of wrong.details.fields) assert.isNotEmpty(messages)
    const twice = ask("POST /floating_ips", { type: "ipv4", home_location: "fsn1", name: "taken" }).json.error
    assert.strictEqual(twice.message, "name is already used")
    assert.deepStrictEqual(twice.details, { fields: [{ name: "name" }] })
  })

  it("stops at the project's limit, ten unless it was raised, and goes on when one is deleted", () => {
    const { ask, create } = start()
    const ids = Array.from({ length: 10 }, () => create())
    const refused = ask("POST /floating_ips", { type: "ipv4", home_location: "fsn1" })
    assert.strictEqual(told(refused), "403 resource_limit_exceeded")
    assert.strictEqual(refused.json.error.details.limits[0].name, "floating_ip_limit")
    ask(`DELETE /floating_ips/${ids[0]}`)
    create()
  })

  it("gives an IPv6 network of four groups, and no address twice", () => {
    const { ask, create } = start()
    const ips = [create({ type: "ipv6" }), create({ type: "ipv6" })].map(
      (id) => ask(`GET /floating_ips/${id}`).json.floating_ip.ip
    )
    for (const ip of ips) assert.match(ip, /^([0-9a-f]+:){4}:\/64$/)
    assert.notStrictEqual(ips[0], ips[1])
  })
})

describe("GET /floating_ips", () => {
  // oxfmt-ignore
  it.each([
    ["",                                  "one two six"],
    ["?name=two",                         "two"],
    ["?name=tw",                          ""],
    ["?label_selector=team in (web)",     "one"],
    ["?label_selector=team!=web",         "two six"],
    ["?sort=created:desc",                "six two one"],
    ["?sort=id:desc",                     "six two one"],
    ["?ip=198.18.0.1",                    "one two six"]
  ])("%s: %s", (query, names) => {
    const { ask, create, pass } = start()
    create({ name: "one", labels: { team: "web" } })
    pass(1000)
    create({ name: "two", labels: { team: "db" } })
    pass(1000)
    create({ name: "six", type: "ipv6" })
    const { json } = ask(`GET /floating_ips${query}`)
    assert.strictEqual(json.floating_ips.map((each: { name: string }) => each.name).join(" "), names)
  })
})

const toUpdate = () => {
  const harness = start()
  const id = harness.create({ name: "edge", description: "demo", labels: { team: "web", tier: "gold" } })
  harness.create({ name: "taken" })
  return { ...harness, put: (body: unknown): Asked => harness.ask(`PUT /floating_ips/${id}`, body) }
}

describe("PUT /floating_ips/{id}", () => {
  it("replaces the whole map of labels", () => {
    const { put } = toUpdate()
    assert.deepStrictEqual(put({ labels: { team: "db" } }).json.floating_ip.labels, { team: "db" })
    assert.deepStrictEqual(put({ labels: {} }).json.floating_ip.labels, {})
  })

  it("leaves alone what is not in the body", () => {
    const { ask, put } = toUpdate()
    const { description, id, labels, name } = put({}).json.floating_ip
    assert.deepStrictEqual([name, description, labels], ["edge", "demo", { team: "web", tier: "gold" }])
    put({ name: "edge two", description: "" })
    const after = ask(`GET /floating_ips/${id}`).json.floating_ip
    assert.deepStrictEqual([after.name, after.description, after.labels], ["edge two", "", labels])
  })

  // oxfmt-ignore
  it.each<[string, unknown, string]>([
    ["its own name",            { name: "edge" },        "200"],
    ["a name that is taken",    { name: "taken" },       "409 uniqueness_error"],
    ["a key that is not known", { server: 1 },           "422 invalid_input"],
    ["a label that is none",    { labels: { "": "" } },  "422 invalid_input"],
    ["no body",                 undefined,               "400 json_error"]
  ])("with %s", (_, body, expected) => {
    assert.strictEqual(told(toUpdate().put(body)), expected)
  })

  it("does not know a floating IP that is gone", () => {
    assert.strictEqual(told(start().ask("PUT /floating_ips/9", {})), "404 not_found")
  })
})

describe("DELETE /floating_ips/{id}", () => {
  it("answers 204 without a body, and then knows it no more", () => {
    const { ask, create } = start()
    const id = create()
    const { body, headers, status } = ask(`DELETE /floating_ips/${id}`)
    assert.deepStrictEqual([status, body, headers["content-type"]], [204, undefined, undefined])
    assert.strictEqual(told(ask(`DELETE /floating_ips/${id}`)), "404 not_found")
  })

  it("refuses while it is assigned (since 2026-05-01)", () => {
    const { ask, create, pass, server } = withServer()
    const id = create()
    ask(`POST /floating_ips/${id}/actions/assign`, { server })
    assert.strictEqual(told(ask(`DELETE /floating_ips/${id}`)), "423 locked")
    pass(1000)
    assert.strictEqual(told(ask(`DELETE /floating_ips/${id}`)), "422 must_be_unassigned")
    ask(`POST /floating_ips/${id}/actions/unassign`)
    pass(1000)
    assert.strictEqual(told(ask(`DELETE /floating_ips/${id}`)), "204")
  })

  it("refuses what is protected, until it is so no more", () => {
    const { ask, create, pass } = start()
    const id = create()
    const protect = (isProtected: boolean) => {
      ask(`POST /floating_ips/${id}/actions/change_protection`, { delete: isProtected })
      pass(1000)
    }
    protect(true)
    const refused = ask(`DELETE /floating_ips/${id}`)
    assert.strictEqual(told(refused), "423 protected")
    assert.strictEqual(refused.json.error.message, "Floating IP deletion is protected")
    protect(false)
    assert.strictEqual(told(ask(`DELETE /floating_ips/${id}`)), "204")
  })
})

describe("what the project pays for", () => {
  it("is known by who bought it, from the first day to the last", () => {
    const { ask, create, pass, project } = start()
    const id = create({ name: "edge", labels: { namespace: "shop" } })
    const { id: other } = project.console.addFloatingIp({ type: "ipv6", name: "mail" })
    ask(`PUT /floating_ips/${id}`, { labels: {} })
    pass(60_000)
    ask(`DELETE /floating_ips/${id}`)
    assert.deepStrictEqual(
      project.truth.purchases().map(({ boughtMillis, by, deletedMillis, id, labels, name }) => ({
        id,
        name,
        labels,
        by,
        heldMillis: deletedMillis === null ? null : deletedMillis - boughtMillis
      })),
      [
        { id, name: "edge", labels: { namespace: "shop" }, by: "controller", heldMillis: 60_000 },
        { id: other, name: "mail", labels: {}, by: "console", heldMillis: null }
      ]
    )
  })
})
