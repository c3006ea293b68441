/** What goes wrong when it is told to, and what a person in the console does. */
import { assert, describe, it } from "@effect/vitest"
import type { Fault, RoutedRequest } from "../../../../src/memory/hetzner/Faults.ts"
import { start, told } from "./harness.ts"

const world = (options: Parameters<typeof start>[0] = {}) => {
  const harness = start(options)
  const server = harness.project.console.addServer({ name: "node-1" }).id
  const id = harness.create({ name: "edge" })
  return {
    ...harness,
    server,
    id,
    assign: () => harness.ask(`POST /floating_ips/${id}/actions/assign`, { server }),
    serverOf: () => harness.ask(`GET /floating_ips/${id}`).json.floating_ip.server
  }
}

const isAssign = ({ route }: RoutedRequest): boolean => route === "POST /floating_ips/{id}/actions/assign"
const isCreate = ({ route }: RoutedRequest): boolean => route === "POST /floating_ips"

describe("Faults", () => {
  it("lose the reply of what was done", () => {
    const { ask, project } = world()
    project.faults.next(isCreate, { loseReply: true })
    const reply = ask("POST /floating_ips", { type: "ipv4", home_location: "fsn1", name: "orphan" })
    assert.isTrue(reply.isLost)
    assert.strictEqual(ask("GET /floating_ips?name=orphan").json.floating_ips.length, 1)
  })

  it.each([
    ["before", 0],
    ["after", 1]
  ] as const)("answer 502 with HTML %s it was done", (badGateway, count) => {
    const { ask, project } = world()
    project.faults.next(isCreate, { badGateway })
    const { body, headers, status } = ask("POST /floating_ips", { type: "ipv4", home_location: "fsn1", name: "new" })
    assert.deepStrictEqual([status, headers["content-type"]], [502, "text/html"])
    assert.match(body ?? "", /^<html>/)
    assert.strictEqual(ask("GET /floating_ips?name=new").json.floating_ips.length, count)
  })

  it("refuse so many times, and then no more", () => {
    const { ask, project } = world()
    project.faults.next(() => true, { refuse: { code: "rate_limit_exceeded" } }, 3)
    const answers = Array.from({ length: 4 }, () => told(ask("GET /servers")))
    assert.deepStrictEqual(answers, [...Array<string>(3).fill("429 rate_limit_exceeded"), "200"])
  })

  // oxfmt-ignore
  it.each<[string, Fault["refuse"], string]>([
    ["locked",               { code: "locked" },                                 "423 locked"],
    ["another status",       { code: "must_be_unassigned", status: 409 },        "409 must_be_unassigned"],
    ["the old read-only",    { code: "token_readonly" },                         "401 token_readonly"],
    ["maintenance",          { code: "maintenance" },                            "403 maintenance"],
    ["no room",              { code: "resource_unavailable" },                   "412 resource_unavailable"],
    ["a conflict",           { code: "conflict" },                               "409 conflict"],
    ["an error of its own",  { code: "server_error" },                           "500 server_error"],
    ["an outage",            { code: "unavailable" },                            "503 unavailable"],
    ["a timeout",            { code: "timeout" },                                "504 timeout"],
    ["a code of the future", { code: "moon_phase", message: "wait" },            "400 moon_phase"]
  ])("refuse with %s, and nothing is done", (_, refuse, expected) => {
    const { assign, pass, project, serverOf } = world()
    project.faults.next(isAssign, refuse === undefined ? {} : { refuse })
    assert.strictEqual(told(assign()), expected)
    pass(1000)
    assert.isNull(serverOf())
  })

  // oxfmt-ignore
  it.each([
    ["ends in error",            { status: "error" },  "error",   false],
    ["succeeds without effect",  { isMute: true },     "success", false],
    ["does as it should",        {},                   "success", true]
  ] as const)("let an action that %s", (_, action, status, isAssigned) => {
    const { ask, assign, pass, project, server, serverOf } = world()
    project.faults.next(isAssign, { action })
    const started = assign().json.action
    assert.strictEqual(started.status, "running")
    pass(1000)
    assert.strictEqual(ask(`GET /actions/${started.id}`).json.action.status, status)
    assert.strictEqual(serverOf(), isAssigned ? server : null)
  })

  it("let an action be slow", () => {
    const { assign, pass, project, server, serverOf } = world()
    project.faults.next(isAssign, { action: { millis: 60_000 } })
    assign()
    pass(59_999)
    assert.isNull(serverOf())
    pass(1)
    assert.strictEqual(serverOf(), server)
  })

  it("let an action vanish that goes on all the same", () => {
    const { ask, assign, pass, project, server, serverOf } = world()
    project.faults.next(isAssign, { action: { vanishes: true } })
    const { id } = assign().json.action
    assert.strictEqual(told(ask(`GET /actions/${id}`)), "404 not_found")
    assert.deepStrictEqual(ask(`GET /actions?id=${id}`).json, { actions: [] })
    pass(1000)
    assert.strictEqual(serverOf(), server)
  })

  it.each<[string, Fault, number | null]>([
    ["takes the server back", { action: { status: "error" } }, null],
    ["never had it", { action: { isMute: true } }, null]
  ])("let the action of a purchase fail, which %s", (_, fault, expected) => {
    const { ask, pass, project, server } = world()
    project.faults.next(isCreate, fault)
    const { json } = ask("POST /floating_ips", { type: "ipv4", server })
    pass(1000)
    assert.strictEqual(ask(`GET /floating_ips/${json.floating_ip.id}`).json.floating_ip.server, expected)
  })

  it("delete a server between two calls", () => {
    const { ask, assign, project, server } = world()
    assert.strictEqual(told(ask(`GET /servers/${server}`)), "200")
    project.faults.next(isAssign, { deleteServer: server })
    assert.strictEqual(told(assign()), "404 not_found")
    assert.strictEqual(told(ask(`GET /servers/${server}`)), "404 not_found")
  })

  it("block what was just assigned", () => {
    const { ask, assign, id, pass, project, server } = world()
    project.faults.next(isAssign, { block: true })
    assign()
    pass(1000)
    const floatingIp = ask(`GET /floating_ips/${id}`).json.floating_ip
    assert.deepStrictEqual([floatingIp.blocked, floatingIp.server], [true, server])
  })

  it("show what was so some time ago, but actions as they are", () => {
    const { ask, assign, id, pass, project, server, serverOf } = world()
    const action = assign().json.action.id
    pass(5000)
    project.faults.setPolicy(({ method }) => (method === "GET" ? { staleMillis: 4500 } : {}))
    assert.isNull(serverOf())
    assert.strictEqual(ask("GET /floating_ips").json.floating_ips[0].server, null)
    assert.deepStrictEqual(ask(`GET /servers/${server}`).json.server.public_net.floating_ips, [])
    assert.strictEqual(ask(`GET /actions/${action}`).json.action.status, "success")
    project.faults.clear()
    assert.deepStrictEqual(ask(`GET /servers/${server}`).json.server.public_net.floating_ips, [id])
  })

  it.each([
    [0, "third"],
    [1000, "second"],
    [599_000, "second"],
    [600_000, "first"],
    [9_000_000, "first"]
  ])("show the past of ten minutes: %i ms ago it was the %s", (staleMillis, name) => {
    const { ask, id, pass, project } = world()
    for (const [millis, next] of [
      [1_000_000, "first"],
      [1000, "second"],
      [599_500, "third"]
    ] as const) {
      pass(millis)
      project.console.change(id, { name: next })
    }
    project.faults.setPolicy(() => ({ staleMillis }))
    assert.strictEqual(ask(`GET /floating_ips/${id}`).json.floating_ip.name, name)
  })

  it("ask the policy once for each request to a known route", () => {
    const { ask, id, project } = world()
    const asked: Array<string> = []
    project.faults.setPolicy(({ id, route }) => {
      asked.push(`${route} ${id}`)
      return {}
    })
    ask(`GET /floating_ips/${id}`)
    ask("GET /gone")
    ask("GET /servers", undefined, null)
    assert.deepStrictEqual(asked, [`GET /floating_ips/{id} ${id}`, "GET /servers undefined"])
  })

  it("end all at once", () => {
    const { ask, project } = world()
    project.faults.setPolicy(() => ({ refuse: { code: "unavailable" } }))
    project.faults.next(() => true, { refuse: { code: "timeout" } }, 9)
    project.faults.clear()
    assert.strictEqual(told(ask("GET /servers")), "200")
  })
})

describe("Console", () => {
  it("deletes a server, and its floating IPs stay, assigned to nobody", () => {
    const { ask, assign, pass, project, server, serverOf } = world()
    assign()
    pass(1000)
    assert.strictEqual(serverOf(), server)
    project.console.deleteServer(server)
    assert.isNull(serverOf())
    assert.strictEqual(told(ask(`GET /servers/${server}`)), "404 not_found")
    project.console.deleteServer(server)
  })

  it("renames, labels, blocks, protects, assigns and deletes at once, past locks", () => {
    const { assign, id, project, server } = world()
    assign()
    project.console.change(id, { name: "mine", labels: { a: "b" }, isBlocked: true, isProtected: true, server })
    const [found] = project.truth.floatingIps()
    assert.deepStrictEqual(
      [found?.name, found?.labels, found?.isBlocked, found?.isProtected, found?.server],
      ["mine", { a: "b" }, true, true, server]
    )
    project.console.deleteFloatingIp(id)
    assert.deepStrictEqual(project.truth.floatingIps(), [])
    assert.isNotNull(project.truth.purchases()[0]?.deletedMillis)
  })

  it("sets a server's status", () => {
    const { ask, project, server } = world()
    project.console.setServerStatus(server, "off")
    assert.strictEqual(ask(`GET /servers/${server}`).json.server.status, "off")
    assert.strictEqual(project.truth.servers()[0]?.status, "off")
  })

  it("refuses what would not be a project", () => {
    const { id, project } = world()
    assert.throws(() => project.console.change(id, { server: 99 }), /no server 99/)
    assert.throws(() => project.console.addServer({ name: "node-1" }), /two servers node-1/)
    assert.throws(() => project.console.addServer({ name: "node-9", location: "moon" }), /no location moon/)
    assert.throws(() => project.console.setServerStatus(99, "off"), /no server 99/)
    assert.throws(() => project.console.deleteFloatingIp(99), /no floating IP 99/)
  })

  it("buys where the server is", () => {
    const { project } = start()
    const server = project.console.addServer({ name: "node-1", location: "hel1" })
    assert.strictEqual(project.console.addFloatingIp({ type: "ipv4", server: server.id }).home.name, "hel1")
    assert.strictEqual(project.console.addFloatingIp({ type: "ipv4", location: "sin" }).home.name, "sin")
  })

  it("shows the truth as of now, without a request", () => {
    const { assign, pass, project, server } = world()
    assign()
    assert.deepStrictEqual(
      project.truth.actions().map(({ status }) => status),
      ["running"]
    )
    pass(1000)
    assert.strictEqual(project.truth.floatingIps()[0]?.server, server)
    assert.deepStrictEqual(
      project.truth.actions().map(({ status }) => status),
      ["success"]
    )
  })
})
