/**
 * What `ip -j` and the `arp_ignore` files say, as NetworkState. Pure; read with iproute2 6.1. What is not known is passed over;
 * what is needed and not there is an error and not nothing: an address that is not seen would be taken for one that is gone.
 */
import { Data, Effect, Result, Schema } from "effect"
import { parse } from "../../domain/Address.ts"
import type { InterfaceAddress, NetworkInterface, NetworkState } from "../../ports/NodeNetwork.ts"

const foreverSeconds = 4_294_967_295

/** It is JSON, and lacks what every version that is known prints. */
export class OutputIncomplete extends Data.TaggedError("OutputIncomplete")<{ readonly message: string }> {}

/** What is not known stays, so that an object of which nothing is known does not look like `{}`. */
const others = [Schema.Record(Schema.String, Schema.Unknown)] as const

const AddressFields = Schema.Struct({
  family: Schema.optionalKey(Schema.String),
  local: Schema.optionalKey(Schema.String),
  prefixlen: Schema.optionalKey(Schema.Finite),
  scope: Schema.optionalKey(Schema.Union([Schema.String, Schema.Finite])),
  label: Schema.optionalKey(Schema.String),
  metric: Schema.optionalKey(Schema.Finite),
  nodad: Schema.optionalKey(Schema.Boolean),
  noprefixroute: Schema.optionalKey(Schema.Boolean),
  deprecated: Schema.optionalKey(Schema.Boolean),
  valid_life_time: Schema.optionalKey(Schema.Finite)
})
const AddressInfo = Schema.StructWithRest(AddressFields, others)
export type AddressInfo = typeof AddressInfo.Type

/** With a filter `ip` prints `{}` for what the filter drops, so that the schema requires nothing; `lackOf` does. */
const LinkFields = Schema.Struct({
  ifindex: Schema.optionalKey(Schema.Finite),
  ifname: Schema.optionalKey(Schema.String),
  flags: Schema.optionalKey(Schema.Array(Schema.String)),
  address: Schema.optionalKey(Schema.String),
  master: Schema.optionalKey(Schema.String),
  /** Present where an XDP program is attached. */
  xdp: Schema.optionalKey(Schema.Unknown),
  linkinfo: Schema.optionalKey(Schema.Struct({ info_kind: Schema.optionalKey(Schema.String) })),
  addr_info: Schema.optionalKey(Schema.Array(AddressInfo))
})
const LinkInfo = Schema.StructWithRest(LinkFields, others)
export type LinkInfo = typeof LinkInfo.Type

const RouteInfo = Schema.Struct({
  type: Schema.optionalKey(Schema.String),
  dev: Schema.optionalKey(Schema.String),
  metric: Schema.optionalKey(Schema.Finite),
  nexthops: Schema.optionalKey(Schema.Array(Schema.Struct({ dev: Schema.optionalKey(Schema.String) })))
})
export type RouteInfo = typeof RouteInfo.Type

const decodeList = <S extends Schema.Codec<unknown, unknown>>(item: S) => {
  const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Array(item)))
  /** Nothing at all is how `ip` prints an empty list when the family is switched off. */
  return (text: string): Effect.Effect<ReadonlyArray<S["Type"]>, Schema.SchemaError> =>
    text.trim() === "" ? Effect.succeed([]) : decode(text)
}

const isDropped = (item: object): boolean => Object.keys(item).length === 0

/** Only of the families that are ours: the kernel lists others' addresses, too. */
const addressLack = (info: AddressInfo): string | undefined => {
  const { family = "inet", local, prefixlen } = info
  if (isDropped(info) || !family.startsWith("inet")) return undefined
  return local === undefined || prefixlen === undefined ? "an address without local or prefixlen" : undefined
}

const lackOf = (link: LinkInfo): string | undefined => {
  if (isDropped(link)) return undefined
  if (link.ifname === undefined) return "an interface without ifname"
  const lack = [
    ...(link.ifindex === undefined ? ["no ifindex"] : []),
    ...(link.flags === undefined ? ["no flags"] : []),
    ...(link.addr_info ?? []).flatMap((info) => addressLack(info) ?? [])
  ]
  return lack.length === 0 ? undefined : `interface ${link.ifname} has ${lack.join(", ")}`
}

const decodeLinkList = decodeList(LinkInfo)

export const decodeLinks = (
  text: string
): Effect.Effect<ReadonlyArray<LinkInfo>, Schema.SchemaError | OutputIncomplete> =>
  Effect.flatMap(decodeLinkList(text), (links) => {
    const lack = links.map(lackOf).find((each) => each !== undefined)
    return lack === undefined ? Effect.succeed(links) : Effect.fail(new OutputIncomplete({ message: lack }))
  })

/** Of a whole node, which has at least its loopback: nothing at all is no list of its interfaces. */
export const decodeNodeLinks = (text: string): ReturnType<typeof decodeLinks> =>
  Effect.filterOrFail(
    decodeLinks(text),
    (links) => links.some(({ ifname }) => ifname !== undefined),
    () => new OutputIncomplete({ message: "no interface at all, not even lo" })
  )

/** The same, with addresses: an interface that says nothing of them is not one without. */
export const decodeNodeAddresses = (text: string): ReturnType<typeof decodeLinks> =>
  Effect.filterOrFail(
    decodeNodeLinks(text),
    (links) => links.every((link) => isDropped(link) || link.addr_info !== undefined),
    () => new OutputIncomplete({ message: "an interface without addr_info" })
  )

export const decodeRoutes = decodeList(RouteInfo)

/** `grep -H` prints `/proc/sys/net/ipv4/conf/eth0/arp_ignore:0`; an interface name may hold a dot, never a slash. */
export const decodeConf = (text: string, setting: "arp_ignore" | "rp_filter"): ReadonlyMap<string, number> => {
  const lines = text.matchAll(/\/conf\/([^/\n]+)\/(\w+):(\d+)/g)
  return new Map(
    [...lines].flatMap(([, name = "", found, value]) => (found === setting ? [[name, Number(value)]] : []))
  )
}

export const toNetworkState = (
  links: ReadonlyArray<LinkInfo>,
  routes: ReadonlyArray<RouteInfo>,
  arpIgnore: ReadonlyMap<string, number>
): NetworkState => {
  const interfaces = links.flatMap((link) => toInterface(link, links))
  const everywhere = arpIgnore.get("all") ?? 0
  return {
    interfaces,
    defaultRouteInterfaces: defaultRouteInterfaces(routes),
    arpIgnore: Object.fromEntries(
      interfaces.map(({ name }) => [name, Math.max(everywhere, arpIgnore.get(name) ?? 0)] as const)
    )
  }
}

const toInterface = (link: LinkInfo, links: ReadonlyArray<LinkInfo>): ReadonlyArray<NetworkInterface> => {
  const name = link.ifname
  if (name === undefined || link.ifindex === undefined) return []
  const flags = link.flags ?? []
  return [
    {
      name,
      index: link.ifindex,
      mac: link.address ?? "",
      up: flags.includes("UP"),
      kind: flags.includes("LOOPBACK") ? "loopback" : link.linkinfo?.info_kind === "bridge" ? "bridge" : "other",
      ports: links.flatMap((port) => (port.master === name && port.ifname !== undefined ? [port.ifname] : [])),
      addresses: (link.addr_info ?? []).flatMap(toAddress)
    }
  ]
}

const toAddress = (info: AddressInfo): ReadonlyArray<InterfaceAddress> => {
  const address = parse(info.local ?? "")
  if (Result.isFailure(address) || info.prefixlen === undefined) return []
  return [
    {
      address: address.success,
      prefixLength: info.prefixlen,
      scope: String(info.scope ?? "global"),
      ...(info.label === undefined ? {} : { label: info.label }),
      ...(info.metric === undefined ? {} : { metric: info.metric }),
      ...(isForever(info) ? {} : { validSeconds: info.valid_life_time })
    }
  ]
}

export const isForever = (info: AddressInfo): boolean => (info.valid_life_time ?? foreverSeconds) === foreverSeconds

/** No metric is metric 0; IPv6 routes always print theirs. `unreachable` and its kin name an interface but use none. */
export const defaultRouteInterfaces = (routes: ReadonlyArray<RouteInfo>): ReadonlyArray<string> => {
  const usable = routes.filter(({ type }) => type === undefined || type === "unicast")
  const ordered = usable.toSorted((left, right) => (left.metric ?? 0) - (right.metric ?? 0))
  const names = ordered.flatMap(({ dev, nexthops }) => [dev, ...(nexthops ?? []).map((hop) => hop.dev)])
  return [...new Set(names.filter((name) => name !== undefined))]
}
