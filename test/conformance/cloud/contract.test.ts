/** Our adapter and our fake, each against the provider's contract: neither is right because the other agrees. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { make } from "../../../src/memory/hetzner/HetznerProject.ts"
import { HttpExchange, type HttpRequest } from "../../../src/ports/HttpExchange.ts"
import { virtually } from "../../unit/virtually.ts"
import { cases } from "./cases.ts"
import { contract, errorReply, headers, nameOf, type Operation, pagination } from "./Contract.ts"
import { endpoint, play } from "./inMemory.ts"
import { ofReply, ofRequest, operationOf, type Sent } from "./violations.ts"

const sentOf = ({ body, method, url }: HttpRequest): Sent => {
  const { pathname, searchParams } = new URL(url)
  return { method, path: pathname.replace(new URL(endpoint).pathname, ""), query: searchParams, body }
}

/** Whether the cases pass is shown elsewhere: what the fake refuses as well must be told here in the contract's words. */
const recorded = (): ReadonlyArray<HttpRequest> => {
  const requests: Array<HttpRequest> = []
  const recording = ({ send }: HttpExchange["Service"]) =>
    HttpExchange.of({
      send: (request) => {
        requests.push(request)
        return send(request)
      }
    })
  for (const each of cases) virtually(Effect.exit(play(each, recording)))
  return requests
}

const unused: { readonly [name: string]: string } = {
  "POST /floating_ips/{id}/actions/change_protection": "protection is for people to set, and the adapter heeds it",
  "POST /servers/{id}/actions/change_alias_ips": "alias IPs are another kind of address, which no pool has",
  "GET /actions/{id}": "all actions that are waited for are asked for at once, by GET /actions"
}

describe("the adapter", () => {
  const requests = recorded()

  it("sends nothing that the contract does not have", () => {
    const problems = requests.flatMap((request) => {
      const sent = sentOf(request)
      return ofRequest(sent).map((problem) => `${sent.method} ${sent.path}: ${problem}`)
    })
    assert.deepStrictEqual([...new Set(problems)], [])
  })

  it("says that its bodies are JSON, and nothing of the kind where there is none", () => {
    for (const { body, headers: own } of requests) {
      assert.strictEqual(own["content-type"], body === undefined ? undefined : "application/json")
    }
  })

  it("uses all operations but those that it is meant not to use", () => {
    const used = new Set(requests.map(sentOf).flatMap((sent) => operationOf(sent) ?? []))
    const others = contract.filter((each) => !used.has(each)).map(nameOf)
    assert.deepStrictEqual(others.toSorted(), Object.keys(unused).toSorted())
  })
})

describe("a request that the contract does not have", () => {
  const create = { type: "ipv4", home_location: "nbg1" }
  it.each([
    ["GET", "/floating_ips/0", undefined, "GET /floating_ips/0 is not known"],
    ["PATCH", "/floating_ips/1", {}, "PATCH /floating_ips/1 is not known"],
    ["GET", "/floating_ips?ip=198.18.0.1", undefined, "query: ip is not known"],
    ["GET", "/floating_ips?sort=name", undefined, "query: no sorting by name"],
    ["GET", "/servers?per_page=51", undefined, "query: per_page is 51"],
    ["GET", "/actions", undefined, "query: id is missing"],
    ["GET", "/servers", {}, "body: none is taken"],
    ["POST", "/floating_ips", undefined, "body: is missing"],
    ["POST", "/floating_ips", [], "body: is no object"],
    ["POST", "/floating_ips", { home_location: "nbg1" }, "body: type is missing"],
    ["POST", "/floating_ips", { ...create, ip: "198.18.0.1" }, "body: ip is not known"],
    ["POST", "/floating_ips", { ...create, labels: { count: 1 } }, "body: labels is no labels"],
    ["POST", "/floating_ips", { ...create, server: 1 }, "body: not one of home_location, server"],
    ["POST", "/floating_ips", { type: "ipv4" }, "body: not one of home_location, server"],
    ["POST", "/floating_ips/1/actions/assign", { server: "1" }, "body: server is no integer"],
    ["POST", "/floating_ips/1/actions/unassign", { server: 1 }, "body: server is not known"],
    ["POST", "/servers/1/actions/change_alias_ips", { network: 1, alias_ips: [1] }, "body: alias_ips[0] is no string"]
  ] as const)("%s %s %j is told: %s", (method, path, body, problem) => {
    const { pathname, searchParams } = new URL(path, "http://provider")
    const text = body === undefined ? undefined : JSON.stringify(body)
    assert.deepStrictEqual(ofRequest({ method, path: pathname, query: searchParams, body: text }), [problem])
  })
})

const secret = "contract-write"

/** One floating IP of each state that the operations need, and an action that runs. */
const world = () => {
  const project = make({ nowMillis: () => 1_790_000_000_000, tokens: [{ secret, name: "write", mayWrite: true }] })
  const network = project.console.addNetwork("net", "10.0.0.0/16").id
  const server = project.console.addServer({ name: "node-1", networks: [network], labels: { role: "node" } }).id
  const free = project.console.addFloatingIp({ type: "ipv4", name: "free", labels: { claim: "uid-1" } })
  const assigned = project.console.addFloatingIp({ type: "ipv4", name: "assigned", server })
  const busy = project.console.addFloatingIp({ type: "ipv4", name: "busy" }).id
  const ask = (method: string, path: string, body?: unknown, token: string | undefined = secret) => {
    const { pathname, searchParams } = new URL(`${endpoint}${path}`)
    const text = body === undefined ? undefined : JSON.stringify(body)
    const reply = project.handle({ method, path: pathname, query: searchParams, body: text, token })
    return { ...reply, json: reply.body === undefined ? {} : JSON.parse(reply.body) }
  }
  const { action } = ask("POST", `/floating_ips/${busy}/actions/change_protection`, { delete: true }).json
  return { ask, network, server, free, assigned, busy, running: Number(action.id) }
}
type World = ReturnType<typeof world>

interface Sample {
  /** In the place of `{id}`. */
  readonly id?: number
  readonly query?: string
  readonly body?: { readonly [key: string]: unknown }
}

const samples: { readonly [name: string]: (world: World) => Sample } = {
  "GET /servers": () => ({ query: "?name=node-1&label_selector=role%3Dnode&status=running&page=1&per_page=50" }),
  "GET /servers/{id}": ({ server }) => ({ id: server }),
  "POST /servers/{id}/actions/change_alias_ips": ({ network, server }) => ({
    id: server,
    body: { network, alias_ips: ["10.0.7.7"] }
  }),
  "GET /locations": () => ({ query: "?page=1&per_page=50" }),
  "GET /floating_ips": () => ({ query: "?name=free&label_selector=claim&page=1&per_page=50" }),
  "POST /floating_ips": ({ server }) => ({
    body: { type: "ipv4", server, name: "edge one", description: "demo", labels: { team: "web" } }
  }),
  "GET /floating_ips/{id}": ({ assigned }) => ({ id: assigned.id }),
  "PUT /floating_ips/{id}": ({ free }) => ({
    id: free.id,
    body: { description: "demo", name: "renamed", labels: { team: "web" } }
  }),
  "DELETE /floating_ips/{id}": ({ free }) => ({ id: free.id }),
  "POST /floating_ips/{id}/actions/assign": ({ free, server }) => ({ id: free.id, body: { server } }),
  "POST /floating_ips/{id}/actions/unassign": ({ assigned }) => ({ id: assigned.id, body: {} }),
  "POST /floating_ips/{id}/actions/change_protection": ({ free }) => ({ id: free.id, body: { delete: true } }),
  "POST /floating_ips/{id}/actions/change_dns_ptr": ({ free }) => ({
    id: free.id,
    body: { ip: free.ip, dns_ptr: "mail.example.com" }
  }),
  "GET /floating_ips/{id}/actions": ({ busy }) => ({ id: busy, query: "?status=running&page=1&per_page=50" }),
  "GET /actions": ({ running }) => ({ query: `?id=${running}&status=running` }),
  "GET /actions/{id}": ({ running }) => ({ id: running })
}

const sampleOf = (operation: Operation, there: World) => {
  const sample = samples[nameOf(operation)]?.(there)
  if (sample === undefined) throw new Error(`no sample of ${nameOf(operation)}`)
  return { path: operation.path.replace("{id}", String(sample.id)), query: sample.query ?? "", body: sample.body }
}

const answerTo = (operation: Operation) => {
  const there = world()
  const { body, path, query } = sampleOf(operation, there)
  return there.ask(operation.method, `${path}${query}`, body)
}

const rows = contract.map((operation) => ({ name: nameOf(operation), operation }))
const only = (has: (operation: Operation) => boolean) => rows.filter(({ operation }) => has(operation))

describe("the fake does as the contract says", () => {
  it.each(rows)("$name", ({ operation }) => {
    const { headers: given, json, body, status } = answerTo(operation)
    assert.strictEqual(status, operation.status, body)
    if (operation.reply === undefined) assert.isUndefined(body)
    else assert.deepStrictEqual(ofReply(operation.reply, json), [])
    for (const [name, pattern] of Object.entries(headers)) {
      // An empty reply is of no type.
      if (operation.reply !== undefined || name !== "content-type") assert.match(given[name] ?? "", pattern, name)
    }
  })

  it.each(only(({ reply = {} }) => Object.values(reply).some(Array.isArray)))("$name lists what there is", (each) => {
    const { json } = answerTo(each.operation)
    const [key = ""] = Object.keys(each.operation.reply ?? {})
    assert.isAbove(json[key].length, 0)
    assert.deepStrictEqual(
      each.operation.isPaged === true ? ofReply({ meta: { pagination } }, json) : Object.keys(json),
      each.operation.isPaged === true ? [] : [key]
    )
  })

  it.each(only(({ command }) => command !== undefined))("$name starts its action", ({ operation }) => {
    const { action } = answerTo(operation).json
    const types = action.resources.map(({ type }: { readonly type: string }) => type)
    assert.deepStrictEqual([action.command, action.status], [operation.command, "running"])
    assert.deepStrictEqual(types.toSorted(), operation.resources?.toSorted())
  })

  it("starts none where a floating IP is bought without a server", () => {
    const { json, status } = world().ask("POST", "/floating_ips", { type: "ipv6", home_location: "nbg1" })
    assert.deepStrictEqual([status, json.action ?? null, json.floating_ip.server], [201, null, null])
  })
})

describe("the fake refuses what the contract does not have", () => {
  const closed = only(({ body }) => body !== undefined)

  it.each(closed)("$name with a key more", ({ operation }) => {
    const there = world()
    const { body, path } = sampleOf(operation, there)
    const { json, status } = there.ask(operation.method, path, { ...body, surprise: 1 })
    assert.deepStrictEqual([status, json.error.code], [422, "invalid_input"])
    assert.deepStrictEqual(
      json.error.details.fields.map((field: { readonly name: string }) => field.name),
      ["surprise"]
    )
  })

  it.each(closed)("$name without a key that is required", ({ operation }) => {
    for (const key of Object.keys(operation.body ?? {}).filter((name) => !name.endsWith("?"))) {
      const there = world()
      const { body, path } = sampleOf(operation, there)
      const { json, status } = there.ask(operation.method, path, { ...body, [key]: undefined })
      assert.deepStrictEqual([status, json.error.code], [422, "invalid_input"], key)
    }
  })

  it.each(closed)("$name without a body, unless it needs none", ({ operation }) => {
    const there = world()
    const { status } = there.ask(operation.method, sampleOf(operation, there).path)
    assert.strictEqual(status, operation.mayOmitBody === true ? operation.status : 400)
  })

  it("a list of all actions", () => {
    assert.isAtLeast(world().ask("GET", "/actions").status, 400)
  })

  it.each(only(({ sortFields }) => sortFields !== undefined))("$name in an order that there is not", (each) => {
    const { path, sortFields = [] } = each.operation
    const { ask } = world()
    for (const field of sortFields.flatMap((name) => [name, `${name}:asc`, `${name}:desc`])) {
      assert.strictEqual(ask("GET", `${path}?sort=${field}`).status, 200, field)
    }
    assert.strictEqual(ask("GET", `${path}?sort=ip`).status, 422)
  })

  it("an unknown route, whoever asks, and before it asks who that is", () => {
    for (const token of ["", "nobody", secret]) {
      const { headers: given, json, status } = world().ask("GET", "/floating_ip", undefined, token)
      assert.deepStrictEqual([status, json.error.code, json.error.message], [404, "not_found", "api route not found"])
      assert.deepStrictEqual(ofReply(errorReply, json), [])
      assert.match(given["x-correlation-id"] ?? "", /^[0-9a-f]+$/u)
    }
  })

  it.each(rows)("$name to whom it does not know", ({ operation }) => {
    const there = world()
    const { body, path } = sampleOf(operation, there)
    const messages = ["", "nobody"].map((token) => {
      const { json, status } = there.ask(operation.method, path, body, token)
      assert.deepStrictEqual([status, json.error.code, json.error.details], [401, "unauthorized", null])
      return json.error.message
    })
    assert.deepStrictEqual(messages, ["token is required", "the token you have provided is invalid"])
  })
})
