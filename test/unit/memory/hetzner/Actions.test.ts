/** Moving floating IPs: what is accepted, when it is done, and what is locked meanwhile. */
import { assert, describe, it } from "@effect/vitest"
import { type Harness, start, told } from "./harness.ts"

const two = (options: Parameters<typeof start>[0] = {}) => {
  const harness = start(options)
  const [a, b] = ["node-1", "node-2"].map((name) => harness.project.console.addServer({ name }).id)
  const id = harness.create()
  return { ...harness, a: a ?? 0, b: b ?? 0, id }
}

const assign = ({ ask }: Harness, id: number, server: number) =>
  ask(`POST /floating_ips/${id}/actions/assign`, { server })
const unassign = ({ ask }: Harness, id: number) => ask(`POST /floating_ips/${id}/actions/unassign`)
const serverOf = ({ ask }: Harness, id: number): number | null => ask(`GET /floating_ips/${id}`).json.floating_ip.server
const statusOf = ({ ask }: Harness, action: number): string => ask(`GET /actions/${action}`).json.action.status

describe("assign and unassign", () => {
  it("are accepted first and done when the action ends", () => {
    const world = two({ actionTime: { millis: 4000 } })
    const { a, ask, id, pass } = world
    const { json, status } = assign(world, id, a)
    assert.strictEqual(status, 201)
    const { action } = json
    assert.deepStrictEqual(
      [action.command, action.status, action.resources],
      [
        "assign_floating_ip",
        "running",
        [
          { id: a, type: "server" },
          { id, type: "floating_ip" }
        ]
      ]
    )
    pass(3000)
    assert.strictEqual(serverOf(world, id), null)
    assert.strictEqual(ask(`GET /actions/${action.id}`).json.action.progress, 75)
    pass(1000)
    assert.strictEqual(serverOf(world, id), a)
    const ended = ask(`GET /actions/${action.id}`).json.action
    assert.deepStrictEqual([ended.status, ended.progress, ended.error], ["success", 100, null])
    assert.strictEqual(ended.finished, "2026-01-30T23:50:04Z")
    const back = unassign(world, id)
    assert.deepStrictEqual([back.status, back.json.action.command], [201, "unassign_floating_ip"])
    assert.strictEqual(serverOf(world, id), a)
    pass(4000)
    assert.strictEqual(serverOf(world, id), null)
  })

  it("end in their own order and at their own times, however late anybody looks", () => {
    const world = two({ actionTime: { millis: 4000 } })
    const { a, ask, b, id, pass, project } = world
    project.faults.next(({ route }) => route.endsWith("/assign"), { action: { millis: 9000 } })
    const other = world.create()
    const slow = assign(world, id, a).json.action.id
    const quick = assign(world, other, b).json.action.id
    pass(60_000)
    const finished = ask(`GET /actions?id=${slow}&id=${quick}`).json.actions.map(
      (each: { readonly finished: string }) => each.finished
    )
    assert.deepStrictEqual(finished, ["2026-01-30T23:50:09Z", "2026-01-30T23:50:04Z"])
    project.faults.setPolicy(() => ({ staleMillis: 53_000 }))
    assert.deepStrictEqual([serverOf(world, id), serverOf(world, other)], [null, b])
  })

  it("move from server to server at once, or not, as it is told", () => {
    const direct = two()
    assign(direct, direct.id, direct.a)
    direct.pass(1000)
    assert.strictEqual(told(assign(direct, direct.id, direct.b)), "201")
    assert.strictEqual(serverOf(direct, direct.id), direct.a)
    direct.pass(1000)
    assert.strictEqual(serverOf(direct, direct.id), direct.b)
    const refused = two({ moves: "refused" })
    assign(refused, refused.id, refused.a)
    refused.pass(1000)
    assert.strictEqual(told(assign(refused, refused.id, refused.b)), "422 floating_ip_assigned")
    assert.strictEqual(told(assign(refused, refused.id, refused.a)), "422 floating_ip_assigned")
  })

  it("end by polls when they are told so", () => {
    const world = two({ actionTime: { polls: 2 } })
    const action = assign(world, world.id, world.a).json.action.id
    const seen = Array.from({ length: 4 }, () => statusOf(world, action))
    assert.deepStrictEqual(seen, ["running", "running", "success", "success"])
    assert.strictEqual(serverOf(world, world.id), world.a)
  })

  it("refuse to unassign what is not assigned", () => {
    const world = two()
    const { json } = unassign(world, world.id)
    assert.strictEqual(json.error.code, "service_error")
    assert.strictEqual(json.error.message, "cannot unassign Floating IP because it is not assigned to a server")
  })

  // oxfmt-ignore
  it.each<[string, (world: ReturnType<typeof two>) => string, string]>([
    ["unassign with {}",          ({ ask, id }) => told(ask(`POST /floating_ips/${id}/actions/unassign`, {})),             "422 service_error"],
    ["unassign with a key",       ({ ask, id }) => told(ask(`POST /floating_ips/${id}/actions/unassign`, { server: 1 })),  "422 invalid_input"],
    ["assign without a server",   ({ ask, id }) => told(ask(`POST /floating_ips/${id}/actions/assign`, {})),               "422 invalid_input"],
    ["assign with another key",   ({ a, ask, id }) => told(ask(`POST /floating_ips/${id}/actions/assign`, { server: a, force: true })), "422 invalid_input"],
    ["assign to no server",       (world) => told(assign(world, world.id, 99)),                                            "404 not_found"],
    ["assign of nothing",         (world) => told(assign(world, 99, world.a)),                                             "404 not_found"],
    ["unassign of nothing",       (world) => told(unassign(world, 99)),                                                    "404 not_found"],
    ["protection without a word", ({ ask, id }) => told(ask(`POST /floating_ips/${id}/actions/change_protection`, {})),    "422 invalid_input"]
  ])("answer %s", (_, request, expected) => {
    assert.strictEqual(request(two()), expected)
  })

  it("need a primary IP of the same family", () => {
    const { ask, create, project } = start()
    const server = project.console.addServer({ name: "v6only", types: ["ipv6"] }).id
    const [v4, v6] = [create(), create({ type: "ipv6" })]
    assert.strictEqual(told(ask(`POST /floating_ips/${v4}/actions/assign`, { server })), "422 unsupported_error")
    assert.strictEqual(told(ask(`POST /floating_ips/${v6}/actions/assign`, { server })), "201")
  })

  it("stop at twenty for a server", () => {
    const world = two({ floatingIpsMax: 30 })
    const { a, b, id, pass, project } = world
    for (let n = 0; n < 20; n++) project.console.addFloatingIp({ type: "ipv4", server: a })
    assert.strictEqual(told(assign(world, id, a)), "403 resource_limit_exceeded")
    assert.strictEqual(told(assign(world, id, b)), "201")
    pass(1000)
    const [first] = project.truth.floatingIps().filter(({ server }) => server === a)
    assert.strictEqual(told(assign(world, first?.id ?? 0, a)), "201")
  })

  it("end in error when the server is gone before they end", () => {
    const world = two()
    const action = assign(world, world.id, world.a).json.action.id
    world.project.console.deleteServer(world.a)
    world.pass(1000)
    const { error, status } = world.ask(`GET /actions/${action}`).json.action
    assert.deepStrictEqual([status, error], ["error", { code: "action_failed", message: "Action failed" }])
    assert.strictEqual(serverOf(world, world.id), null)
  })
})

describe("locked, while an action runs,", () => {
  // oxfmt-ignore
  it.each<[string, (world: ReturnType<typeof two>, other: number) => string, string]>([
    ["is the floating IP for assign",        (world) => told(assign(world, world.id, world.b)),      "423 locked"],
    ["is the floating IP for unassign",      (world) => told(unassign(world, world.id)),             "423 locked"],
    ["is the floating IP for its deletion",  ({ ask, id }) => told(ask(`DELETE /floating_ips/${id}`)), "423 locked"],
    ["is it for protection",     ({ ask, id }) => told(ask(`POST /floating_ips/${id}/actions/change_protection`, { delete: true })), "423 locked"],
    ["is the server for another one",        (world, other) => told(assign(world, other, world.a)),  "423 locked"],
    ["is the server for a new one",          ({ a, ask }) => told(ask("POST /floating_ips", { type: "ipv4", server: a })), "423 locked"],
    ["is no other server",                   (world, other) => told(assign(world, other, world.b)),  "201"],
    ["are no names and labels",              ({ ask, id }) => told(ask(`PUT /floating_ips/${id}`, { name: "x" })), "200"]
  ])("%s", (_, request, expected) => {
    const world = two()
    const other = world.create()
    assign(world, world.id, world.a)
    assert.strictEqual(request(world, other), expected)
    assert.isTrue(world.ask(`GET /servers/${world.a}`).json.server.locked)
    world.pass(1000)
    assert.isFalse(world.ask(`GET /servers/${world.a}`).json.server.locked)
  })

  it("is what runs told by the actions of the floating IP", () => {
    const world = two()
    const first = assign(world, world.id, world.a).json.action.id
    world.pass(1000)
    const second = unassign(world, world.id).json.action.id
    const listed = (query: string) =>
      world
        .ask(`GET /floating_ips/${world.id}/actions${query}`)
        .json.actions.map(({ id }: { readonly id: number }) => id)
    assert.deepStrictEqual(listed(""), [first, second])
    assert.deepStrictEqual(listed("?status=running"), [second])
    assert.deepStrictEqual(listed("?status=success&status=error"), [first])
    assert.deepStrictEqual(listed("?sort=id:desc"), [second, first])
    assert.strictEqual(told(world.ask("GET /floating_ips/99/actions")), "404 not_found")
  })

  it("is a server that is being deleted", () => {
    const world = two()
    world.project.console.setServerStatus(world.a, "deleting")
    assert.strictEqual(told(assign(world, world.id, world.a)), "423 locked")
    world.project.console.setServerStatus(world.a, "off")
    assert.strictEqual(told(assign(world, world.id, world.a)), "201")
  })
})

describe("GET /actions", () => {
  it("answers for ids that exist, without meta, as the official waiter asks", () => {
    const world = two()
    const [other] = [world.create()]
    const first = assign(world, world.id, world.a).json.action.id
    const second = assign(world, other ?? 0, world.b).json.action.id
    const { json } = world.ask(`GET /actions?id=${second}&id=${first}&id=99&page=1&sort=status&sort=id`)
    assert.deepStrictEqual(Object.keys(json), ["actions"])
    assert.deepStrictEqual(
      json.actions.map(({ id }: { readonly id: number }) => id),
      [first, second]
    )
    assert.strictEqual(world.ask(`GET /actions?id=${second}&id=${first}`).json.actions[0].id, first)
  })

  it("does not list without ids any more (since 2025-01-30)", () => {
    const { json, status } = start().ask("GET /actions")
    assert.deepStrictEqual([status, json.error.code], [410, "deprecated_api_endpoint"])
    assert.isString(json.error.details.announcement)
  })

  it("refuses an id that is none", () => {
    assert.strictEqual(told(start().ask("GET /actions?id=x")), "422 invalid_input")
  })
})

const named = (type: string) => {
  const world = start()
  const id = world.create({ type })
  const { ip } = world.ask(`GET /floating_ips/${id}`).json.floating_ip
  const change = (ip: string, dnsPtr: string | null) => {
    const reply = told(world.ask(`POST /floating_ips/${id}/actions/change_dns_ptr`, { ip, dns_ptr: dnsPtr }))
    world.pass(1000)
    return reply
  }
  return { ip, change, entries: () => world.ask(`GET /floating_ips/${id}`).json.floating_ip.dns_ptr }
}

describe("change_dns_ptr", () => {
  it("names an IPv4 address, which always has a name", () => {
    const { change, entries, ip } = named("ipv4")
    const unnamed = entries()
    assert.strictEqual(unnamed.length, 1)
    assert.strictEqual(change(ip, "mail.example.com"), "201")
    assert.deepStrictEqual(entries(), [{ ip, dns_ptr: "mail.example.com" }])
    assert.strictEqual(change(ip, null), "201")
    assert.deepStrictEqual(entries(), unnamed)
    assert.strictEqual(change("192.0.2.1", "mail.example.com"), "422 invalid_input")
    assert.strictEqual(change("2001:db8::1", "mail.example.com"), "422 invalid_input")
    // The same number as 198.18.0.1.
    assert.strictEqual(change("::c612:1", "mail.example.com"), "422 invalid_input")
  })

  it("names any address of an IPv6 network, at most a hundred", () => {
    const { change, entries, ip } = named("ipv6")
    const at = (host: number) => ip.replace("/64", host.toString(16))
    assert.deepStrictEqual(entries(), [])
    for (let host = 1; host <= 100; host++) assert.strictEqual(change(at(host), "mail.example.com"), "201")
    assert.strictEqual(change(at(101), "mail.example.com"), "403 resource_limit_exceeded")
    assert.strictEqual(change(at(100).replace("::", ":0:0:0:"), "web.example.com"), "201")
    assert.strictEqual(change(at(1), null), "201")
    assert.strictEqual(entries().length, 99)
    assert.deepInclude(entries(), { ip: at(100), dns_ptr: "web.example.com" })
    assert.strictEqual(change("2001:db8:ffff::1", "mail.example.com"), "422 invalid_input")
  })
})
