/** The project's resources as the port sees them, and the requests that read them. */
import { Effect, Result, type Schema } from "effect"
import type { CloudAddress, CloudError, CloudServer, Priority, ServerState } from "../../ports/Cloud.ts"
import * as Address from "../../domain/Address.ts"
import type { ApiClient } from "./ApiClient.ts"
import * as Wire from "./Wire.ts"

export const typeOf = (family: Address.Family): "ipv4" | "ipv6" => (family === "IPv4" ? "ipv4" : "ipv6")

/** As we write it; what is no address stays as it is, and is nobody's. */
const canonical = (text: string): string => Result.getOrElse(Address.parse(text), () => text)

export const addressOf = (floatingIp: Wire.FloatingIp): CloudAddress => ({
  id: String(floatingIp.id),
  name: floatingIp.name,
  family: floatingIp.type === "ipv4" ? "IPv4" : "IPv6",
  network: floatingIp.ip,
  server: floatingIp.server === null ? undefined : String(floatingIp.server),
  home: { location: floatingIp.home_location.name, zone: floatingIp.home_location.network_zone },
  isBlocked: floatingIp.blocked,
  isProtected: floatingIp.protection.delete,
  labels: floatingIp.labels,
  reverseNames: Object.fromEntries((floatingIp.dns_ptr ?? []).map(({ dns_ptr, ip }) => [canonical(ip), dns_ptr]))
})

const stateOf: { readonly [status: string]: ServerState } = { running: "running", off: "off", deleting: "gone" }

export const serverOf = ({ id, location, name, public_net, status }: Wire.Server): CloudServer => ({
  id: String(id),
  name,
  state: stateOf[status] ?? "changing",
  place: { location: location.name, zone: location.network_zone },
  families: new Set<Address.Family>([
    ...(public_net.ipv4 === null ? [] : (["IPv4"] as const)),
    ...(public_net.ipv6 === null ? [] : (["IPv6"] as const))
  ])
})

/** The most that a page may hold. */
const perPage = "50"

interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly meta: Wire.Meta
}

/** A project that changes all the time is listed as it was met the last time. */
const readingsMax = 3

/** All pages; only `next_page` says whether there is another. `isWhole`: nothing came or went between the first and the last. */
const read = Effect.fnUntraced(function* <A, W>(
  { call }: ApiClient,
  path: string,
  reply: Schema.Decoder<W>,
  pageOf: (reply: W) => Page<A>
): Effect.fn.Return<{ readonly all: ReadonlyArray<A>; readonly isWhole: boolean }, CloudError> {
  const all: Array<A> = []
  const totals = new Set<number>()
  for (let page: number | null = 1; page !== null;) {
    const query = [["page", String(page)] as const, ["per_page", perPage] as const]
    const { items, meta }: Page<A> = pageOf(yield* call({ method: "GET", path, query, reply, priority: "normal" }))
    const { next_page, total_entries } = meta.pagination
    all.push(...items)
    totals.add(total_entries ?? 0)
    page = next_page
  }
  return { all, isWhole: totals.size <= 1 }
})

/**
 * Where one goes while the pages are read, those behind it move up, and the first of the next page is on none: a server that
 * runs would be gone. So the pages are read anew.
 */
const pages = Effect.fnUntraced(function* <A, W>(
  client: ApiClient,
  path: string,
  reply: Schema.Decoder<W>,
  pageOf: (reply: W) => Page<A>
): Effect.fn.Return<ReadonlyArray<A>, CloudError> {
  let reading = yield* read(client, path, reply, pageOf)
  for (let count = 1; !reading.isWhole && count < readingsMax; count++)
    reading = yield* read(client, path, reply, pageOf)
  return reading.all
})

export const allAddresses = (client: ApiClient): Effect.Effect<ReadonlyArray<CloudAddress>, CloudError> =>
  pages(client, "/floating_ips", Wire.FloatingIpsReply, ({ floating_ips, meta }) => ({
    items: floating_ips.map(addressOf),
    meta
  }))

export const allServers = (client: ApiClient): Effect.Effect<ReadonlyArray<CloudServer>, CloudError> =>
  pages(client, "/servers", Wire.ServersReply, ({ meta, servers }) => ({
    items: servers.map(serverOf),
    meta
  }))

/** Undefined: it is not there. */
export const orGone = <A>(read: Effect.Effect<A, CloudError>): Effect.Effect<A | undefined, CloudError> =>
  Effect.catchIf(
    read,
    ({ reason }) => reason._tag === "NotFound",
    () => Effect.succeed(undefined)
  )

export const readAddress = ({ call }: ApiClient, id: string, priority: Priority) =>
  orGone(
    call({ method: "GET", path: `/floating_ips/${id}`, reply: Wire.FloatingIpReply, priority }).pipe(
      Effect.map(({ floating_ip }) => addressOf(floating_ip))
    )
  )

export const readServer = ({ call }: ApiClient, id: string, priority: Priority) =>
  orGone(
    call({ method: "GET", path: `/servers/${id}`, reply: Wire.ServerReply, priority }).pipe(
      Effect.map(({ server }) => serverOf(server))
    )
  )

/** Names are unique per type, so one or none. */
export const findAddress = ({ call }: ApiClient, name: string, family: Address.Family) =>
  call({
    method: "GET",
    path: "/floating_ips",
    query: [["name", name]],
    reply: Wire.FloatingIpsReply,
    priority: "normal"
  }).pipe(Effect.map(({ floating_ips }) => floating_ips.map(addressOf).find((each) => each.family === family)))
