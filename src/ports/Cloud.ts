/**
 * Addresses that a cloud provider routes to one of its servers, and the servers. Every method is idempotent: repeated
 * after a lost reply it buys, moves or deletes nothing twice. `test/conformance/cloud` is this contract, executable.
 */
import { Context, Schema } from "effect"
import type { Effect, Redacted } from "effect"
import type { Family } from "../domain/Address.ts"
import type { Category } from "./Category.ts"

export interface Place {
  readonly location: string
  /** Locations between which the provider's network is one. */
  readonly zone: string
}

export interface Labels {
  readonly [key: string]: string
}

/**
 * So far at most a read may lag behind what was done before it. No provider promises anything here; twice what a bad day of the
 * fake has.
 */
export const readLagMillis = 5_000

/** What the provider routes: one address, or for IPv6 a network in which any may be used. */
export interface CloudAddress {
  readonly id: string
  readonly name: string
  readonly family: Family
  /** `192.0.2.9` or `2001:db8:1:7::/64`. */
  readonly network: string
  /** Id of the server that it is routed to. */
  readonly server: string | undefined
  readonly home: Place
  /** Dead at the provider (abuse), wherever it is routed. */
  readonly isBlocked: boolean
  /** The provider refuses to delete it. */
  readonly isProtected: boolean
  readonly labels: Labels
  /** By address of it, the name that is given for it (PTR). */
  readonly reverseNames: Labels
}

/** `off` and `gone` (being deleted) are evidence that nothing runs there; `changing`: none of either. */
export type ServerState = "running" | "changing" | "off" | "gone"

export interface CloudServer {
  readonly id: string
  readonly name: string
  readonly state: ServerState
  readonly place: Place
  /** Families in which it has an address of its own: only these can be routed to it. */
  readonly families: ReadonlySet<Family>
}

/** What is known of a Node that may be one of the servers. */
export interface NodeIdentity {
  readonly name: string
  /** `spec.providerID`. */
  readonly providerId?: string | undefined
  /** As a person wrote it on the Node. */
  readonly serverId?: string | undefined
  /** As the provider told the machine itself. */
  readonly instanceId?: string | undefined
  readonly labels?: Labels | undefined
}

/**
 * `gone`: it was one, and the project has it no more. `unmanaged`: a machine to which the provider routes nothing. `unknown`:
 * nothing says which it is.
 */
export type Resolution =
  | {
      readonly type: "server"
      readonly server: CloudServer
      /** The Node says its id; else it has its name only, as a server of another project may. */
      readonly isById: boolean
    }
  | { readonly type: "gone"; readonly id: string }
  | { readonly type: "unmanaged" }
  | { readonly type: "unknown" }

export interface Wish {
  /** Unique per project and family; the same for each try of one claim. */
  readonly name: string
  readonly family: Family
  readonly location: string
  /** Put on it when it is made. */
  readonly labels: Labels
  /** Those of `labels` by which one of this name is known as the claim's own. */
  readonly identifiedBy: ReadonlyArray<string>
}

/** What may wait for what when requests are rationed. */
export type Priority = "failover" | "normal" | "background"

export interface Assigning {
  /** Unassigned first, or by one assignment. */
  readonly handover: "direct" | "unassignFirst"
  readonly priority: Priority
}

/** The token is refused (401). */
export class Unauthorized extends Schema.TaggedClass<Unauthorized>()("Unauthorized", {}) {
  readonly category: Category = "permanent"
}
/** The token may only read, or the project may not do this (403). */
export class Forbidden extends Schema.TaggedClass<Forbidden>()("Forbidden", {}) {
  readonly category: Category = "permanent"
}
/** No such resource in the project of this token. */
export class NotFound extends Schema.TaggedClass<NotFound>()("NotFound", {}) {
  readonly category: Category = "permanent"
}
/** Another resource has this name. */
export class NameTaken extends Schema.TaggedClass<NameTaken>()("NameTaken", {}) {
  readonly category: Category = "conflict"
}
/** It changed meanwhile, or is not as it was asked for. */
export class Conflict extends Schema.TaggedClass<Conflict>()("Conflict", {}) {
  readonly category: Category = "conflict"
}
/** Another operation works on it or on its server. */
export class Locked extends Schema.TaggedClass<Locked>()("Locked", {}) {
  readonly category: Category = "transient"
}
/** It is routed to a server, and cannot be deleted, or assigned, before it is unassigned. */
export class Assigned extends Schema.TaggedClass<Assigned>()("Assigned", {}) {
  readonly category: Category = "conflict"
}
/** Somebody protects it from being deleted. */
export class Protected extends Schema.TaggedClass<Protected>()("Protected", {}) {
  readonly category: Category = "permanent"
}
/** The project may not have more. */
export class QuotaExceeded extends Schema.TaggedClass<QuotaExceeded>()("QuotaExceeded", {}) {
  readonly category: Category = "permanent"
}
/** The provider has none left there now. */
export class OutOfStock extends Schema.TaggedClass<OutOfStock>()("OutOfStock", {}) {
  readonly category: Category = "permanent"
}
/** Too many requests by all clients of the project together. */
export class RateLimited extends Schema.TaggedClass<RateLimited>()("RateLimited", {
  retryAfterMillis: Schema.Finite
}) {
  readonly category: Category = "throttled"
}
/** The provider refuses what was asked. */
export class Refused extends Schema.TaggedClass<Refused>()("Refused", {}) {
  readonly category: Category = "permanent"
}
/** It was accepted and then failed at the provider. */
export class OperationFailed extends Schema.TaggedClass<OperationFailed>()("OperationFailed", {}) {
  readonly category: Category = "transient"
}
/** Nothing was done, and it may work later. */
export class Unavailable extends Schema.TaggedClass<Unavailable>()("Unavailable", {}) {
  readonly category: Category = "transient"
}
/** A write was sent and its outcome is unknown: read back before anything else. */
export class ReplyLost extends Schema.TaggedClass<ReplyLost>()("ReplyLost", {}) {
  readonly category: Category = "ambiguous"
}
/** The reply does not decode. */
export class Malformed extends Schema.TaggedClass<Malformed>()("Malformed", {}) {
  readonly category: Category = "permanent"
}

const Reason = Schema.Union([
  Unauthorized,
  Forbidden,
  NotFound,
  NameTaken,
  Conflict,
  Locked,
  Assigned,
  Protected,
  QuotaExceeded,
  OutOfStock,
  RateLimited,
  Refused,
  OperationFailed,
  Unavailable,
  ReplyLost,
  Malformed
])
export type Reason = typeof Reason.Type

export class CloudError extends Schema.TaggedError<CloudError>()("CloudError", {
  /** What was asked, without the token: `POST /floating_ips/7/actions/assign`. */
  request: Schema.String,
  reason: Reason,
  /** The provider's own code; empty where it sent none. */
  code: Schema.String,
  /** The provider's own words. */
  detail: Schema.String,
  /** By which the provider finds the request in its logs; empty without a reply. */
  correlationId: Schema.String
}) {
  get category(): Category {
    return this.reason.category
  }
  /** The pause that the provider asked for; 0: none. */
  get retryAfterMillis(): number {
    return this.reason._tag === "RateLimited" ? this.reason.retryAfterMillis : 0
  }
  override get message(): string {
    const origin = [this.code, this.correlationId].filter((each) => each !== "").join(", ")
    return `${this.request}: ${this.reason._tag}: ${this.detail}${origin === "" ? "" : ` (${origin})`}`
  }
}

/** What a list has and this version does not understand. It is there: nobody's to take, to route or to delete, nor gone. */
export interface Unreadable {
  readonly kind: "address" | "server"
  /** These as far as they can be read. */
  readonly id: string | undefined
  readonly name: string | undefined
  readonly network: string | undefined
  readonly labels: Labels | undefined
  /** As which it is told to whom it concerns: `Malformed`. */
  readonly error: CloudError
}

/** All that one credential opens. */
export interface CloudProject {
  /** How many addresses can be routed to one server at once. */
  readonly addressesPerServerMax: number
  /** Whether the token is accepted; costs one request. */
  readonly probe: Effect.Effect<void, CloudError>
  /** Why the token may not write, by the last write that could tell; undefined: none was refused for that. Asks nothing. */
  readonly refusedWrite: Effect.Effect<CloudError | undefined>
  /** At most `maxAgeMillis` old; 0: read now. */
  readonly servers: (maxAgeMillis: number) => Effect.Effect<ReadonlyArray<CloudServer>, CloudError>
  /** Read now; undefined: there is none. */
  readonly server: (id: string, priority: Priority) => Effect.Effect<CloudServer | undefined, CloudError>
  /** Which server a Node is, by a list that is at most so old. */
  readonly resolve: (node: NodeIdentity, maxAgeMillis: number) => Effect.Effect<Resolution, CloudError>
  readonly addresses: (maxAgeMillis: number) => Effect.Effect<ReadonlyArray<CloudAddress>, CloudError>
  /** Of the lists that were read last. Asks nothing. */
  readonly unreadable: Effect.Effect<ReadonlyArray<Unreadable>>
  /** `Malformed`: it is there, and not understood. */
  readonly address: (id: string, priority: Priority) => Effect.Effect<CloudAddress | undefined, CloudError>
  /**
   * Makes it, or finds what an earlier try has made. `NameTaken`: one of this name is somebody else's. `Malformed`: one that
   * may be what an earlier try has made is not understood, and none is made. `permission` is asked for just before one is made,
   * which may be long after the call; where it fails, none is.
   */
  readonly ensure: <E = never>(
    wish: Wish,
    permission?: Effect.Effect<void, E>
  ) => Effect.Effect<CloudAddress, CloudError | E>
  /** Succeeds once a read has confirmed it. `changed`: false if it was so already. */
  readonly assign: (
    id: string,
    server: string,
    how: Assigning
  ) => Effect.Effect<{ readonly changed: boolean }, CloudError>
  /** Routed to no server, confirmed by a read; also when it is not there any more. */
  readonly unassign: (id: string, priority: Priority) => Effect.Effect<void, CloudError>
  /** Unassigned, then deleted; not there any more: done. */
  readonly remove: (id: string) => Effect.Effect<void, CloudError>
  /** All labels; what is not named is gone. */
  readonly relabel: (id: string, labels: Labels) => Effect.Effect<void, CloudError>
  /** The PTR record of one address of it (RFC 1035), confirmed by a read; undefined: the provider's own. */
  readonly setReverseName: (id: string, address: string, name: string | undefined) => Effect.Effect<void, CloudError>
}

export class Cloud extends Context.Service<
  Cloud,
  {
    /** The same project for the same token. It asks nothing yet. */
    readonly open: (token: Redacted.Redacted) => Effect.Effect<CloudProject>
  }
>()("plenuslb/ports/Cloud") {}
