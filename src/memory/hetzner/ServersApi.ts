/** Servers, networks and locations: read only, but for the alias IPs of a server. */
import { Result, Schema } from "effect"
import type { JsonObject } from "../kubernetes/Json.ts"
import * as Body from "./Body.ts"
import { type Call, type Core, isLocked, lockOf, type Operation, startAction } from "./Core.ts"
import { selected } from "./Filter.ts"
import * as Paging from "./Paging.ts"
import { error, invalidInput, notFound } from "./Reply.ts"
import { locations, type Server } from "./Resources.ts"
import { withServer } from "./Store.ts"
import { actionJson, locationJson, networkJson, serverJson } from "./Wire.ts"

const jsonOf = (core: Core, call: Call, server: Server): JsonObject =>
  serverJson(call.view, server, isLocked(core, { id: server.id, type: "server" }))

export const listServers: Operation = (core, call) =>
  Result.gen(function* () {
    const found = yield* selected(call.query, [...call.view.servers.values()])
    const statuses = call.query.getAll("status")
    const wanted = found.filter(({ status }) => statuses.length === 0 || statuses.includes(status))
    const items = wanted.map((server) => jsonOf(core, call, server))
    const ordered = yield* Paging.sorted(call.query, ["id", "name", "created"], items)
    return yield* Paging.page(core.settings, { path: "/servers", query: call.query, key: "servers" }, ordered)
  })

export const getServer: Operation = (core, call) => {
  const server = call.view.servers.get(call.id ?? 0)
  if (server === undefined) return Result.fail(notFound("server", call.id ?? 0))
  return Result.succeed({ status: 200, body: { server: jsonOf(core, call, server) } })
}

export const getNetwork: Operation = (_, { id = 0, view }) => {
  const network = view.networks.get(id)
  if (network === undefined) return Result.fail(notFound("network", id))
  return Result.succeed({ status: 200, body: { network: networkJson(view, network) } })
}

export const listLocations: Operation = ({ settings }, { query }) =>
  Result.gen(function* () {
    const name = query.get("name")
    const found = locations.filter((each) => name === null || each.name === name).map(locationJson)
    const ordered = yield* Paging.sorted(query, ["id", "name"], found)
    return yield* Paging.page(settings, { path: "/locations", query, key: "locations" }, ordered)
  })

export const getLocation: Operation = (_, { id = 0 }) => {
  const location = locations.find((each) => each.id === id)
  if (location === undefined) return Result.fail(notFound("location", id))
  return Result.succeed({ status: 200, body: { location: locationJson(location) } })
}

/** Since 2026-10-01; what a server had as `datacenter` went on 2026-07-01. */
export const goneDatacenters: Operation = () =>
  Result.fail(
    error("deprecated_api_endpoint", "datacenters are gone, use locations", {
      announcement: "https://docs.hetzner.cloud/changelog"
    })
  )

const AliasIpsBody = Schema.Struct({ network: Schema.Int, alias_ips: Schema.Array(Schema.String) })
/** Limit of the vendor, for each network of a server. */
const aliasIpsMax = 5

/** Replaces the whole list; an address that another server of the network has is not given twice. */
export const changeAliasIps: Operation = (core, call) =>
  Result.gen(function* () {
    const { alias_ips: aliasIps, network } = yield* Body.read(AliasIpsBody, call.body)
    const { servers } = core.store.now()
    const server = servers.get(call.id ?? 0)
    if (server === undefined) return yield* Result.fail(notFound("server", call.id ?? 0))
    const locked = lockOf(core, [{ id: server.id, type: "server" }])
    if (locked !== undefined) return yield* Result.fail(locked)
    if (!server.privateNets.some((each) => each.network === network)) {
      return yield* Result.fail(invalidInput({ name: "network", messages: ["server is not attached to it"] }))
    }
    if (aliasIps.length > aliasIpsMax) {
      return yield* Result.fail(invalidInput({ name: "alias_ips", messages: [`at most ${aliasIpsMax}`] }))
    }
    const taken = [...servers.values()]
      .filter(({ id }) => id !== server.id)
      .flatMap(({ privateNets }) => privateNets.filter((each) => each.network === network))
      .flatMap((each) => [each.ip, ...each.aliasIps])
    const twice = aliasIps.find((ip) => taken.includes(ip))
    if (twice !== undefined) return yield* Result.fail(error("ip_not_available", `IP ${twice} is not available`))
    const action = startAction(core, call, {
      command: "change_alias_ips",
      resources: [
        { id: server.id, type: "server" },
        { id: network, type: "network" }
      ],
      change: (before) => {
        const current = before.servers.get(server.id)
        return current === undefined
          ? undefined
          : withServer(before, {
              ...current,
              privateNets: current.privateNets.map((each) => (each.network === network ? { ...each, aliasIps } : each))
            })
      }
    })
    return { status: 201, body: { action: actionJson(action, core.nowMillis()) } }
  })
