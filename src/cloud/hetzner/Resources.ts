/** The project's resources as the port sees them, and the requests that read them. */
import { Effect, Result, type Schema } from "effect"
import type {
  CloudAddress,
  CloudError,
  CloudServer,
  Labels,
  Priority,
  ServerState,
  Unreadable
} from "../../ports/Cloud.ts"
import * as Address from "../../domain/Address.ts"
import type { ApiClient } from "./ApiClient.ts"
import * as Elements from "./Elements.ts"
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

/** What it does not say, or not so that we understand it, speaks neither for it nor against it. */
export const serverOf = ({ id, location, name = "", public_net, status = "" }: Wire.Server): CloudServer => ({
  id: String(id),
  name,
  state: stateOf[status] ?? "changing",
  place: { location: location?.name ?? "", zone: location?.network_zone ?? "" },
  families: new Set<Address.Family>([
    ...(public_net?.ipv4 === null ? [] : (["IPv4"] as const)),
    ...(public_net?.ipv6 === null ? [] : (["IPv6"] as const))
  ])
})

/** The most that a page may hold. */
const perPage = "50"

interface Page {
  readonly items: ReadonlyArray<unknown>
  readonly meta: Wire.Meta
}

/** What a list consists of. */
interface Kind<W, A> {
  readonly kind: Unreadable["kind"]
  readonly path: string
  readonly schema: Schema.Decoder<W>
  readonly make: (wire: W) => A
}

const floatingIps: Kind<Wire.FloatingIp, CloudAddress> = {
  kind: "address",
  path: "/floating_ips",
  schema: Wire.FloatingIp,
  make: addressOf
}

const servers: Kind<Wire.Server, CloudServer> = {
  kind: "server",
  path: "/servers",
  schema: Wire.Server,
  make: serverOf
}

const elementsOf = <W, A>({ kind, path, ...how }: Kind<W, A>, elements: ReadonlyArray<unknown>): Elements.Elements<A> =>
  Elements.decode(kind, path, { ...how, elements })

/** A project that changes all the time is listed as it was met the last time. */
const readingsMax = 3

/** All pages; only `next_page` says whether there is another. `isWhole`: nothing came or went between the first and the last. */
const read = Effect.fnUntraced(function* <W>(
  { call }: ApiClient,
  path: string,
  reply: Schema.Decoder<W>,
  pageOf: (reply: W) => Page
): Effect.fn.Return<{ readonly all: ReadonlyArray<unknown>; readonly isWhole: boolean }, CloudError> {
  const all: Array<unknown> = []
  const totals = new Set<number>()
  for (let page: number | null = 1; page !== null;) {
    const query = [["page", String(page)] as const, ["per_page", perPage] as const]
    const { items, meta }: Page = pageOf(yield* call({ method: "GET", path, query, reply, priority: "normal" }))
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
const pages = Effect.fnUntraced(function* <W>(
  client: ApiClient,
  path: string,
  reply: Schema.Decoder<W>,
  pageOf: (reply: W) => Page
): Effect.fn.Return<ReadonlyArray<unknown>, CloudError> {
  let reading = yield* read(client, path, reply, pageOf)
  for (let count = 1; !reading.isWhole && count < readingsMax; count++)
    reading = yield* read(client, path, reply, pageOf)
  return reading.all
})

export const allAddresses = (client: ApiClient): Effect.Effect<Elements.Elements<CloudAddress>, CloudError> =>
  pages(client, floatingIps.path, Wire.FloatingIpsReply, ({ floating_ips, meta }) => ({
    items: floating_ips,
    meta
  })).pipe(Effect.map((all) => elementsOf(floatingIps, all)))

export const allServers = (client: ApiClient): Effect.Effect<Elements.Elements<CloudServer>, CloudError> =>
  pages(client, servers.path, Wire.ServersReply, (reply) => ({ items: reply.servers, meta: reply.meta })).pipe(
    Effect.map((all) => elementsOf(servers, all))
  )

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

/** `labels` replace what it had. */
export const relabel = ({ call }: ApiClient, id: string, labels: Labels) =>
  call({
    method: "PUT",
    path: `/floating_ips/${id}`,
    body: { labels },
    reply: Wire.FloatingIpReply,
    priority: "normal"
  }).pipe(Effect.map(({ floating_ip }) => addressOf(floating_ip)))

/** Names are unique per type, so one or none. One of this name that is not understood may be of this type. */
export const findAddress = ({ call }: ApiClient, name: string, family: Address.Family) =>
  call({
    method: "GET",
    path: "/floating_ips",
    query: [["name", name]],
    reply: Wire.FloatingIpsReply,
    priority: "normal"
  }).pipe(
    Effect.map(({ floating_ips }) => elementsOf(floatingIps, floating_ips)),
    Effect.flatMap(({ read: all, unreadable: [unreadable] }) => {
      const found = all.find((each) => each.family === family)
      return found === undefined && unreadable !== undefined ? Effect.fail(unreadable.error) : Effect.succeed(found)
    })
  )
