/** Resources as the API's JSON: every key is there, whatever is empty is null. */
import type { JsonObject } from "../kubernetes/Json.ts"
import { fromMillis } from "../kubernetes/Rfc3339.ts"
import type { Action } from "./Actions.ts"
import type { FloatingIp, Location, Network, PrimaryIp, Server } from "./Resources.ts"
import { attachedTo, type Snapshot } from "./Store.ts"

export const locationJson = ({ networkZone, ...rest }: Location): JsonObject => ({ ...rest, network_zone: networkZone })

export const floatingIpJson = (floatingIp: FloatingIp): JsonObject => ({
  id: floatingIp.id,
  name: floatingIp.name,
  description: floatingIp.description,
  created: fromMillis(floatingIp.createdMillis),
  ip: floatingIp.ip,
  type: floatingIp.type,
  server: floatingIp.server,
  dns_ptr: floatingIp.dnsPtr.map(({ dnsPtr, ip }) => ({ ip, dns_ptr: dnsPtr })),
  home_location: locationJson(floatingIp.home),
  blocked: floatingIp.isBlocked,
  protection: { delete: floatingIp.isProtected },
  labels: floatingIp.labels
})

/** Progress is a guess of the API's own; nobody may conclude from it. */
export const actionJson = (action: Action, nowMillis: number): JsonObject => ({
  id: action.id,
  command: action.command,
  status: action.status,
  progress: action.status === "running" ? progressOf(action, nowMillis) : 100,
  started: fromMillis(action.startedMillis),
  finished: action.finishedMillis === null ? null : fromMillis(action.finishedMillis),
  resources: action.resources.map(({ id, type }) => ({ id, type })),
  error: action.status === "error" ? { code: "action_failed", message: "Action failed" } : null
})

const progressOf = ({ endsMillis, startedMillis }: Action, nowMillis: number): number =>
  endsMillis === undefined || endsMillis <= startedMillis
    ? 0
    : Math.min(99, Math.floor((100 * (nowMillis - startedMillis)) / (endsMillis - startedMillis)))

const ipv4Json = ({ id, ip }: PrimaryIp): JsonObject => ({ id, ip, blocked: false, dns_ptr: defaultDnsPtr(ip) })

const ipv6Json = ({ id, ip }: PrimaryIp): JsonObject => ({ id, ip, blocked: false, dns_ptr: [] })

/** What an IPv4 address is called as long as nobody names it. */
export const defaultDnsPtr = (ip: string): string =>
  `static.${ip.split(".").toReversed().join(".")}.clients.your-server.de`

/** The official clients read more of it than we do; what we never set has the values of an idle server. */
export const serverJson = (snapshot: Snapshot, server: Server, isLocked: boolean): JsonObject => ({
  id: server.id,
  name: server.name,
  created: fromMillis(server.createdMillis),
  status: server.status,
  locked: isLocked,
  labels: server.labels,
  location: locationJson(server.location),
  public_net: {
    ipv4: server.ipv4 === null ? null : ipv4Json(server.ipv4),
    ipv6: server.ipv6 === null ? null : ipv6Json(server.ipv6),
    floating_ips: attachedTo(snapshot, server.id).map(({ id }) => id),
    firewalls: []
  },
  private_net: server.privateNets.map(({ aliasIps, ip, macAddress, network }) => ({
    network,
    ip,
    alias_ips: aliasIps,
    mac_address: macAddress
  })),
  server_type: serverType,
  image: null,
  iso: null,
  rescue_enabled: false,
  backup_window: null,
  outgoing_traffic: 0,
  ingoing_traffic: 0,
  included_traffic: 21_990_232_555_520,
  protection: { delete: false, rebuild: false },
  volumes: [],
  load_balancers: [],
  primary_disk_size: 40,
  placement_group: null
})

const serverType: JsonObject = {
  id: 22,
  name: "cpx11",
  description: "CPX 11",
  cores: 2,
  memory: 2,
  disk: 40,
  deprecated: false,
  prices: [],
  storage_type: "local",
  cpu_type: "shared",
  architecture: "x86"
}

export const networkJson = (snapshot: Snapshot, network: Network): JsonObject => ({
  id: network.id,
  name: network.name,
  created: fromMillis(network.createdMillis),
  ip_range: network.ipRange,
  subnets: [{ type: "cloud", ip_range: network.ipRange, network_zone: "eu-central", gateway: null, vswitch_id: null }],
  routes: [],
  servers: [...snapshot.servers.values()]
    .filter(({ privateNets }) => privateNets.some((each) => each.network === network.id))
    .map(({ id }) => id),
  load_balancers: [],
  protection: { delete: false },
  labels: {},
  expose_routes_to_vswitch: false
})
