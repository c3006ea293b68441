/** Floating IPs: read, buy, rename and label, delete. What moves them is `FloatingIpActions.ts`. */
import { Result, Schema } from "effect"
import * as Body from "./Body.ts"
import { type Call, type Core, lockOf, type Operation, startAction } from "./Core.ts"
import { selected } from "./Filter.ts"
import { problemsOf } from "./Labels.ts"
import * as Paging from "./Paging.ts"
import { type Answer, type ApiError, error, fail, invalidInput, limitExceeded, notFound } from "./Reply.ts"
import { type FloatingIp, type Labels, type Location, locations, type Server, type Type } from "./Resources.ts"
import { attachedTo, withFloatingIp, withoutFloatingIp } from "./Store.ts"
import { actionJson, defaultDnsPtr, floatingIpJson } from "./Wire.ts"

/** Limit of the vendor. */
const perServerMax = 20

export const listFloatingIps: Operation = ({ settings }, { query, view }) =>
  Result.gen(function* () {
    const found = yield* selected(query, [...view.floatingIps.values()])
    const ordered = yield* Paging.sorted(query, ["id", "created"], found.map(floatingIpJson))
    return yield* Paging.page(settings, { path: "/floating_ips", query, key: "floating_ips" }, ordered)
  })

export const getFloatingIp: Operation = (_, { id = 0, view }) => {
  const floatingIp = view.floatingIps.get(id)
  return floatingIp === undefined ? Result.fail(notFound("floating_ip", id)) : Result.succeed(answer(200, floatingIp))
}

const answer = (status: 200 | 201, floatingIp: FloatingIp): Answer => ({
  status,
  body: { floating_ip: floatingIpJson(floatingIp) }
})

const Name = Schema.NonEmptyString
const LabelsBody = Schema.Record(Schema.String, Schema.String)

const CreateBody = Schema.Struct({
  type: Schema.Literals(["ipv4", "ipv6"]),
  home_location: Schema.optionalKey(Schema.NullOr(Schema.Union([Schema.String, Schema.Int]))),
  server: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  name: Schema.optionalKey(Name),
  description: Schema.optionalKey(Schema.NullOr(Schema.String)),
  labels: Schema.optionalKey(LabelsBody)
})

export const createFloatingIp: Operation = (core, call) =>
  Result.gen(function* () {
    const body = yield* Body.read(CreateBody, call.body)
    yield* checkLabels(body.labels ?? {})
    const { home, server } = yield* placeOf(core, body.home_location ?? null, body.server ?? null)
    if (body.name !== undefined) yield* checkName(core, body.type, body.name, undefined)
    if (core.store.now().floatingIps.size >= core.settings.floatingIpsMax) {
      return yield* Result.fail(limitExceeded("floating ip limit exceeded", "floating_ip_limit"))
    }
    if (server !== undefined) yield* checkTarget(core, body.type, server)
    const floatingIp = buy(core, {
      type: body.type,
      name: body.name,
      description: body.description ?? null,
      labels: body.labels ?? {},
      home,
      server: server === undefined || call.fault.action?.isMute === true ? null : server.id,
      by: call.by
    })
    if (server === undefined) return { status: 201, body: { floating_ip: floatingIpJson(floatingIp), action: null } }
    return {
      status: 201,
      body: { floating_ip: floatingIpJson(floatingIp), action: firstAssign(core, call, floatingIp, server) }
    }
  })

/** The reply shows the server at once; only the action tells whether it stays so. */
const firstAssign = (core: Core, call: Call, { id }: FloatingIp, server: Server) => {
  const action = startAction(core, call, {
    command: "assign_floating_ip",
    resources: [
      { id: server.id, type: "server" },
      { id, type: "floating_ip" }
    ],
    change: (before) => (before.servers.has(server.id) && before.floatingIps.has(id) ? before : undefined),
    undo: (before) => {
      const floatingIp = before.floatingIps.get(id)
      return floatingIp === undefined ? before : withFloatingIp(before, { ...floatingIp, server: null })
    }
  })
  return actionJson(action, core.nowMillis())
}

interface Place {
  readonly home: Location
  readonly server: Server | undefined
}

/** Exactly one of both; a server brings its own location. */
const placeOf = (
  core: Core,
  homeLocation: string | number | null,
  serverId: number | null
): Result.Result<Place, ApiError> => {
  if ((homeLocation === null) === (serverId === null)) {
    const messages = ["exactly one of home_location and server is needed"]
    return Result.fail(invalidInput({ name: "home_location", messages }, { name: "server", messages }))
  }
  if (serverId !== null) {
    const server = core.store.now().servers.get(serverId)
    return server === undefined
      ? Result.fail(notFound("server", serverId))
      : Result.succeed({ home: server.location, server })
  }
  const home = locations.find(({ id, name }) => name === homeLocation || String(id) === String(homeLocation))
  return home === undefined
    ? Result.fail(invalidInput({ name: "home_location", messages: ["no such location"] }))
    : Result.succeed({ home, server: undefined })
}

/** That the server may take one more of this type; all servers must have a primary IP of the same family for it. */
export const checkTarget = (core: Core, type: Type, server: Server): Result.Result<void, ApiError> => {
  const locked = lockOf(core, [{ id: server.id, type: "server" }])
  if (locked !== undefined) return Result.fail(locked)
  if (server[type] === null) return fail("unsupported_error", `server has no public ${type} address`)
  return attachedTo(core.store.now(), server.id).length >= perServerMax
    ? Result.fail(limitExceeded("server has the most floating ips that it can have", "server_floating_ip_limit"))
    : Result.void
}

const checkName = (core: Core, type: Type, name: string, own: number | undefined): Result.Result<void, ApiError> =>
  [...core.store.now().floatingIps.values()].some((each) => each.type === type && each.name === name && each.id !== own)
    ? fail("uniqueness_error", "name is already used", { fields: [{ name: "name" }] })
    : Result.void

const checkLabels = (labels: Labels): Result.Result<void, ApiError> => {
  const messages = problemsOf(labels)
  return messages.length === 0 ? Result.void : Result.fail(invalidInput({ name: "labels", messages }))
}

export interface Purchasing {
  readonly type: Type
  /** One is made up when absent. */
  readonly name: string | undefined
  /** The next one when absent. */
  readonly ip?: string | undefined
  readonly description: string | null
  readonly labels: Labels
  readonly home: Location
  readonly server: number | null
  readonly by: string
}

export const buy = (core: Core, { by, name, ...wanted }: Purchasing): FloatingIp => {
  const nowMillis = core.nowMillis()
  const id = core.newId()
  const ip = wanted.ip ?? core.newIp(wanted.type)
  const floatingIp: FloatingIp = {
    ...wanted,
    id,
    name: name ?? `floating-ip-${id}`,
    createdMillis: nowMillis,
    ip,
    dnsPtr: wanted.type === "ipv4" ? [{ ip, dnsPtr: defaultDnsPtr(ip) }] : [],
    isBlocked: false,
    isProtected: false
  }
  core.store.commit(withFloatingIp(core.store.now(), floatingIp), nowMillis)
  core.purchases.set(id, {
    id,
    type: wanted.type,
    ip,
    name: floatingIp.name,
    labels: floatingIp.labels,
    by,
    boughtMillis: nowMillis,
    deletedMillis: null
  })
  return floatingIp
}

const UpdateBody = Schema.Struct({
  description: Schema.optionalKey(Schema.NullOr(Schema.String)),
  name: Schema.optionalKey(Name),
  labels: Schema.optionalKey(LabelsBody)
})

/** What is not in the body stays; labels that are in it replace all labels. */
export const updateFloatingIp: Operation = (core, call) =>
  Result.gen(function* () {
    const body = yield* Body.read(UpdateBody, call.body)
    const floatingIp = yield* existing(core, call)
    yield* checkLabels(body.labels ?? {})
    if (body.name !== undefined) yield* checkName(core, floatingIp.type, body.name, floatingIp.id)
    const updated = { ...floatingIp, ...body }
    core.store.commit(withFloatingIp(core.store.now(), updated), core.nowMillis())
    return answer(200, updated)
  })

export const existing = (core: Core, { id = 0 }: Call): Result.Result<FloatingIp, ApiError> => {
  const found = core.store.now().floatingIps.get(id)
  return found === undefined ? Result.fail(notFound("floating_ip", id)) : Result.succeed(found)
}

/** Since 2026-05-01 an assigned one is not deleted any more. */
export const deleteFloatingIp: Operation = (core, call) =>
  Result.gen(function* () {
    const floatingIp = yield* existing(core, call)
    if (floatingIp.isProtected) return yield* fail("protected", "Floating IP deletion is protected")
    const locked = lockOf(core, [{ id: floatingIp.id, type: "floating_ip" }])
    if (locked !== undefined) return yield* Result.fail(locked)
    if (floatingIp.server !== null) {
      return yield* Result.fail(error("must_be_unassigned", "Floating IP must be unassigned before it is deleted"))
    }
    remove(core, floatingIp.id)
    return { status: 204 }
  })

export const remove = (core: Core, id: number): void => {
  const nowMillis = core.nowMillis()
  core.store.commit(withoutFloatingIp(core.store.now(), id), nowMillis)
  const purchase = core.purchases.get(id)
  if (purchase !== undefined) core.purchases.set(id, { ...purchase, deletedMillis: nowMillis })
}
