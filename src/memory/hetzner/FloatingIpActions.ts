/** What a floating IP can be told to do; all of it accepted with 201 and done when the action ends. */
import { Result, Schema } from "effect"
import * as Address from "../../domain/Address.ts"
import * as Body from "./Body.ts"
import { type Call, type Core, lockOf, type Operation, startAction } from "./Core.ts"
import { checkTarget, existing } from "./FloatingIpsApi.ts"
import { type Answer, type ApiError, fail, invalidInput, limitExceeded, notFound } from "./Reply.ts"
import type { FloatingIp, ResourceRef } from "./Resources.ts"
import { type Snapshot, withFloatingIp } from "./Store.ts"
import { actionJson, defaultDnsPtr } from "./Wire.ts"

/** Limit of the vendor for one IPv6 floating IP. */
const dnsPtrsMax = 100

const refsOf = (id: number, server: number | null): ReadonlyArray<ResourceRef> => [
  ...(server === null ? [] : [{ id: server, type: "server" } as const]),
  { id, type: "floating_ip" }
]

/** Changes the floating IP if it still is there when the action ends. */
const changing =
  (id: number, change: (floatingIp: FloatingIp) => Partial<FloatingIp>) =>
  (before: Snapshot): Snapshot | undefined => {
    const floatingIp = before.floatingIps.get(id)
    return floatingIp === undefined ? undefined : withFloatingIp(before, { ...floatingIp, ...change(floatingIp) })
  }

interface Order {
  readonly command: string
  readonly resources: ReadonlyArray<ResourceRef>
  readonly change: (before: Snapshot) => Snapshot | undefined
}

const accept = (core: Core, call: Call, order: Order): Answer => {
  const action = startAction(core, call, order)
  return { status: 201, body: { action: actionJson(action, core.nowMillis()) } }
}

const checkLock = (core: Core, { id, server }: FloatingIp): Result.Result<void, ApiError> => {
  const locked = lockOf(core, refsOf(id, server))
  return locked === undefined ? Result.void : Result.fail(locked)
}

const AssignBody = Schema.Struct({ server: Schema.Int })

export const assign: Operation = (core, call) =>
  Result.gen(function* () {
    const { server: serverId } = yield* Body.read(AssignBody, call.body)
    const floatingIp = yield* existing(core, call)
    const server = core.store.now().servers.get(serverId)
    if (server === undefined) return yield* Result.fail(notFound("server", serverId))
    yield* checkLock(core, floatingIp)
    if (floatingIp.server !== null && core.settings.moves === "refused") {
      return yield* fail("floating_ip_assigned", "Floating IP is already assigned")
    }
    if (floatingIp.server !== serverId) yield* checkTarget(core, floatingIp.type, server)
    const change = changing(floatingIp.id, () => ({ server: serverId }))
    return accept(core, call, {
      command: "assign_floating_ip",
      resources: refsOf(floatingIp.id, serverId),
      change: (before) => (before.servers.has(serverId) ? change(before) : undefined)
    })
  })

/** Closed too; an empty struct would take anything. */
const UnassignBody = Schema.Record(Schema.String, Schema.Never)

export const unassign: Operation = (core, call) =>
  Result.gen(function* () {
    yield* Body.read(UnassignBody, (call.body ?? "") === "" ? "{}" : call.body)
    const floatingIp = yield* existing(core, call)
    yield* checkLock(core, floatingIp)
    if (floatingIp.server === null) {
      return yield* fail("service_error", "cannot unassign Floating IP because it is not assigned to a server")
    }
    return accept(core, call, {
      command: "unassign_floating_ip",
      resources: refsOf(floatingIp.id, floatingIp.server),
      change: changing(floatingIp.id, () => ({ server: null }))
    })
  })

const ProtectionBody = Schema.Struct({ delete: Schema.Boolean })

export const changeProtection: Operation = (core, call) =>
  Result.gen(function* () {
    const body = yield* Body.read(ProtectionBody, call.body)
    const floatingIp = yield* existing(core, call)
    yield* checkLock(core, floatingIp)
    return accept(core, call, {
      command: "change_protection",
      resources: refsOf(floatingIp.id, null),
      change: changing(floatingIp.id, () => ({ isProtected: body.delete }))
    })
  })

const DnsPtrBody = Schema.Struct({ ip: Schema.String, dns_ptr: Schema.NullOr(Schema.String) })

export const changeDnsPtr: Operation = (core, call) =>
  Result.gen(function* () {
    const body = yield* Body.read(DnsPtrBody, call.body)
    const floatingIp = yield* existing(core, call)
    const ip = yield* ownAddress(floatingIp, body.ip)
    yield* checkLock(core, floatingIp)
    const others = floatingIp.dnsPtr.filter((each) => each.ip !== ip)
    if (body.dns_ptr !== null && others.length >= dnsPtrsMax) {
      return yield* Result.fail(limitExceeded("too many reverse DNS entries", "dns_ptr_limit"))
    }
    // An IPv4 address always has a name.
    const dnsPtr = body.dns_ptr ?? (floatingIp.type === "ipv4" ? defaultDnsPtr(ip) : null)
    return accept(core, call, {
      command: "change_dns_ptr",
      resources: refsOf(floatingIp.id, null),
      change: changing(floatingIp.id, () => ({ dnsPtr: dnsPtr === null ? others : [...others, { ip, dnsPtr }] }))
    })
  })

/** The address itself, or any of the /64, in canonical form. */
const ownAddress = (floatingIp: FloatingIp, text: string): Result.Result<string, ApiError> => {
  const [network = "", length] = floatingIp.ip.split("/")
  const shift = length === undefined ? 0n : 64n
  const [own, given] = [Address.parse(network), Address.parse(text)]
  return Result.isSuccess(own) &&
    Result.isSuccess(given) &&
    Address.familyOf(own.success) === Address.familyOf(given.success) &&
    Address.toBigInt(own.success) >> shift === Address.toBigInt(given.success) >> shift
    ? Result.succeed(given.success)
    : Result.fail(invalidInput({ name: "ip", messages: ["is no address of this floating IP"] }))
}
