/**
 * What the API of Hetzner Cloud takes and gives, as far as we use or imitate it: facts of docs.hetzner.cloud (its
 * `cloud.spec.json` and changelog), never of our own code, which is measured against them.
 */

type Kind = "string" | "integer" | "number" | "boolean" | "time" | "labels" | "string or null" | "name or id"

/** `[shape]` is a list of such. A key that ends in `?` may be null in a reply and absent in a request. */
export type Shape = Kind | readonly [Shape] | Keys
export interface Keys {
  readonly [key: string]: Shape
}

export interface Operation {
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  readonly path: string
  /** Parameters that it knows. */
  readonly query: ReadonlyArray<string>
  readonly queryRequired?: ReadonlyArray<string>
  readonly sortFields?: ReadonlyArray<string>
  /** Closed: `additionalProperties` is false. Absent: it takes none. */
  readonly body?: Keys
  /** Exactly one of these keys is sent. */
  readonly eitherOf?: ReadonlyArray<string>
  readonly mayOmitBody?: boolean
  readonly status: 200 | 201 | 204
  /** Absent: the reply is empty. */
  readonly reply?: Keys
  /** The reply has `meta.pagination`, all keys of it. */
  readonly isPaged?: boolean
  /** Of the action that it starts. */
  readonly command?: string
  /** What that action works on. */
  readonly resources?: ReadonlyArray<string>
}

const location: Keys = {
  id: "integer",
  name: "string",
  description: "string",
  country: "string",
  city: "string",
  latitude: "number",
  longitude: "number",
  network_zone: "string"
}

const floatingIp: Keys = {
  id: "integer",
  name: "string",
  "description?": "string",
  created: "time",
  ip: "string",
  type: "string",
  "server?": "integer",
  dns_ptr: [{ ip: "string", dns_ptr: "string" }],
  home_location: location,
  blocked: "boolean",
  protection: { delete: "boolean" },
  labels: "labels"
}

/** `datacenter` went on 2026-07-01. */
const server: Keys = {
  id: "integer",
  name: "string",
  status: "string",
  locked: "boolean",
  labels: "labels",
  location,
  public_net: {
    "ipv4?": { id: "integer", ip: "string", blocked: "boolean", dns_ptr: "string" },
    "ipv6?": { id: "integer", ip: "string", blocked: "boolean", dns_ptr: [{ ip: "string", dns_ptr: "string" }] },
    floating_ips: ["integer"],
    firewalls: [{ id: "integer", status: "string" }]
  },
  private_net: [{ network: "integer", ip: "string", alias_ips: ["string"], mac_address: "string" }]
}

const action: Keys = {
  id: "integer",
  command: "string",
  status: "string",
  progress: "integer",
  started: "time",
  "finished?": "time",
  resources: [{ id: "integer", type: "string" }],
  "error?": { code: "string", message: "string" }
}

/** `next_page` is the only one to go on by. */
export const pagination: Keys = {
  page: "integer",
  per_page: "integer",
  "previous_page?": "integer",
  "next_page?": "integer",
  "last_page?": "integer",
  "total_entries?": "integer"
}

export const perPageMax = 50

/** Of every JSON answer; names of headers have no case. */
export const headers: { readonly [name: string]: RegExp } = {
  "content-type": /^application\/json\b/u,
  "x-correlation-id": /^[0-9a-f]+$/u,
  "ratelimit-limit": /^\d+$/u,
  "ratelimit-remaining": /^\d+$/u,
  "ratelimit-reset": /^\d+$/u
}

/** Also of an unknown route, and there before authentication. */
export const errorReply: Keys = { error: { code: "string", message: "string" } }

const paging = ["page", "per_page"]

const servers: ReadonlyArray<Operation> = [
  {
    method: "GET",
    path: "/servers",
    query: ["name", "label_selector", "sort", "status", ...paging],
    sortFields: ["id", "name", "created"],
    status: 200,
    reply: { servers: [server] },
    isPaged: true
  },
  { method: "GET", path: "/servers/{id}", query: [], status: 200, reply: { server } },
  {
    method: "POST",
    path: "/servers/{id}/actions/change_alias_ips",
    query: [],
    body: { network: "integer", alias_ips: ["string"] },
    status: 201,
    reply: { action },
    command: "change_alias_ips",
    resources: ["server", "network"]
  },
  { method: "GET", path: "/locations", query: paging, status: 200, reply: { locations: [location] }, isPaged: true }
]

const floatingIps: ReadonlyArray<Operation> = [
  {
    method: "GET",
    path: "/floating_ips",
    query: ["name", "label_selector", "sort", ...paging],
    sortFields: ["id", "created"],
    status: 200,
    reply: { floating_ips: [floatingIp] },
    isPaged: true
  },
  {
    method: "POST",
    path: "/floating_ips",
    query: [],
    body: {
      type: "string",
      "home_location?": "name or id",
      "server?": "integer",
      "name?": "string",
      "description?": "string",
      "labels?": "labels"
    },
    eitherOf: ["home_location", "server"],
    status: 201,
    // Null where no server was asked for.
    reply: { floating_ip: floatingIp, "action?": action },
    command: "assign_floating_ip",
    resources: ["server", "floating_ip"]
  },
  { method: "GET", path: "/floating_ips/{id}", query: [], status: 200, reply: { floating_ip: floatingIp } },
  {
    method: "PUT",
    path: "/floating_ips/{id}",
    query: [],
    body: { "description?": "string", "name?": "string", "labels?": "labels" },
    status: 200,
    reply: { floating_ip: floatingIp }
  },
  { method: "DELETE", path: "/floating_ips/{id}", query: [], status: 204 }
]

const started = { query: [], status: 201, reply: { action } } as const

const actions: ReadonlyArray<Operation> = [
  {
    ...started,
    method: "POST",
    path: "/floating_ips/{id}/actions/assign",
    body: { server: "integer" },
    command: "assign_floating_ip",
    resources: ["server", "floating_ip"]
  },
  {
    ...started,
    method: "POST",
    path: "/floating_ips/{id}/actions/unassign",
    body: {},
    mayOmitBody: true,
    command: "unassign_floating_ip",
    resources: ["server", "floating_ip"]
  },
  {
    ...started,
    method: "POST",
    path: "/floating_ips/{id}/actions/change_protection",
    body: { delete: "boolean" },
    command: "change_protection",
    resources: ["floating_ip"]
  },
  {
    ...started,
    method: "POST",
    path: "/floating_ips/{id}/actions/change_dns_ptr",
    body: { ip: "string", dns_ptr: "string or null" },
    command: "change_dns_ptr",
    resources: ["floating_ip"]
  },
  {
    method: "GET",
    path: "/floating_ips/{id}/actions",
    query: ["status", "sort", ...paging],
    status: 200,
    reply: { actions: [action] },
    isPaged: true
  },
  {
    method: "GET",
    path: "/actions",
    // The list of all actions went on 2025-01-30; the answer to ids has no `meta`.
    query: ["id", "status", "sort", ...paging],
    queryRequired: ["id"],
    status: 200,
    reply: { actions: [action] }
  },
  { method: "GET", path: "/actions/{id}", query: [], status: 200, reply: { action } }
]

export const contract: ReadonlyArray<Operation> = [...servers, ...floatingIps, ...actions]

export const nameOf = ({ method, path }: Pick<Operation, "method" | "path">): string => `${method} ${path}`
