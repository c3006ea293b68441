/**
 * What of the Hetzner Cloud API's answers is read (docs.hetzner.cloud, "Floating IPs", "Servers", "Actions"). Unknown
 * keys, states and codes pass: the API's document changes in place, without versions.
 */
import { Effect, Option, Schema } from "effect"

/** 1 to 2^53 - 1. */
export const Id = Schema.Int
export const Labels = Schema.Record(Schema.String, Schema.String)

/** Undefined: absent, or not as we know it. */
const whatever = <S extends Schema.Constraint>(schema: S) =>
  Schema.optionalKey(
    Schema.UndefinedOr(schema).pipe(Schema.catchDecoding(() => Effect.succeed(Option.some(undefined))))
  )

const Location = Schema.Struct({ name: Schema.String, network_zone: Schema.String })

export const FloatingIp = Schema.Struct({
  id: Id,
  name: Schema.String,
  /** `192.0.2.9`, or the network of an IPv6 one: `2001:db8:1:7::/64`. */
  ip: Schema.String,
  type: Schema.Literals(["ipv4", "ipv6"]),
  server: Schema.NullOr(Id),
  home_location: Location,
  blocked: Schema.Boolean,
  protection: Schema.Struct({ delete: Schema.Boolean }),
  labels: Labels,
  dns_ptr: Schema.optionalKey(Schema.Array(Schema.Struct({ ip: Schema.String, dns_ptr: Schema.String })))
})
export type FloatingIp = typeof FloatingIp.Type

/** To route to a server needs its id alone: one that says the rest in other words is no server that is gone. */
export const Server = Schema.Struct({
  id: Id,
  name: whatever(Schema.String),
  status: whatever(Schema.String),
  location: whatever(Location),
  public_net: whatever(
    Schema.Struct({ ipv4: Schema.NullOr(Schema.Struct({})), ipv6: Schema.NullOr(Schema.Struct({})) })
  )
})
export type Server = typeof Server.Type

export const Action = Schema.Struct({
  id: Id,
  /** `running`, `success` or `error`; `error` beside `running` or `success` says nothing. */
  status: Schema.String,
  error: whatever(Schema.NullOr(Schema.Struct({ code: Schema.String, message: Schema.String })))
})
export type Action = typeof Action.Type

export const Meta = Schema.Struct({
  pagination: Schema.Struct({
    next_page: Schema.NullOr(Schema.Int),
    total_entries: Schema.optionalKey(Schema.NullOr(Schema.Int))
  })
})
export type Meta = typeof Meta.Type

export const FloatingIpReply = Schema.Struct({ floating_ip: FloatingIp })
/** In lists each element is decoded by itself: one that is not understood hides none of the others. */
export const FloatingIpsReply = Schema.Struct({ floating_ips: Schema.Array(Schema.Unknown), meta: Meta })
export const ServerReply = Schema.Struct({ server: Server })
export const ServersReply = Schema.Struct({ servers: Schema.Array(Schema.Unknown), meta: Meta })
export const ActionReply = Schema.Struct({ action: Action })
/** Without `meta` where they were asked for by id. */
export const ActionsReply = Schema.Struct({ actions: Schema.Array(Schema.Unknown) })

export const ErrorReply = Schema.Struct({
  error: Schema.Struct({ code: Schema.String, message: Schema.String })
})

/** Of a request whose status is all that is wanted. */
export const AnyReply = Schema.Unknown
