/**
 * The lease that the node's kernel itself keeps: while an address is managed and not leased, the kernel answers nobody for it
 * and accepts no packet to it that comes over an uplink, even though it is on an interface. Leases run out by the kernel's
 * own clock, so that a node whose programs are dead, stopped or cut off ceases to serve without anybody's help.
 *
 * failover, "Kernel state" and R4: a write needs a ticket, put there just before and short-lived, and the name of the
 * process that owns the fence. A process that was stopped between its look at the clock and its write finds its ticket
 * expired, one that was succeeded finds another owner, and nothing is changed.
 */
import { Schema } from "effect"
import type { Effect } from "effect"
import type { Address } from "../domain/Address.ts"
import type { Category } from "./Category.ts"
import type { NodeNetworkError } from "./NodeNetwork.ts"

/** Eight hexadecimal digits, lower case. */
export type FenceNonce = string

export interface FenceContent {
  /** All addresses that the fence judges. */
  readonly managed: ReadonlyArray<Address>
  /** Of these, the ones that may be served. */
  readonly leased: ReadonlyArray<Address>
  /** Interfaces by which clients come. From others (pods) all addresses stay reachable. */
  readonly uplinks: ReadonlyArray<string>
}

/** For how long what is leased lives from now on. */
export interface FenceRenewal {
  readonly ticket: FenceNonce
  readonly owner: FenceNonce
  /** Of `leased`; whole milliseconds. 0: it is over. */
  readonly leaseMillis: number
  /** Of `apart`. */
  readonly apartMillis?: number | undefined
}

export interface FenceWrite extends FenceContent, FenceRenewal {
  /** What is leased as well, for a time of its own. */
  readonly apart?: ReadonlyArray<Address> | undefined
}

export interface FenceState {
  readonly owner: FenceNonce | undefined
  /** The one that has not expired. */
  readonly ticket: FenceNonce | undefined
  readonly managed: ReadonlyArray<Address>
  /** Whose lease has not run out. */
  readonly leased: ReadonlyArray<Address>
  readonly uplinks: ReadonlyArray<string>
}

/** Nothing was changed. */
export class FenceRefused extends Schema.TaggedClass<FenceRefused>()("FenceRefused", {
  why: Schema.Literals(["NoTable", "OtherOwner", "TicketExpired"]),
  /** Of `OtherOwner`. */
  owner: Schema.optionalKey(Schema.String)
}) {
  readonly category: Category = "transient"
  get message(): string {
    return sentences[this.why]
  }
}

const sentences = {
  NoTable: "the table that fences addresses is gone, as after `nft flush ruleset`",
  OtherOwner: "another operator of this node has taken the fence over",
  TicketExpired: "the write came too late after its ticket, as on a machine that is out of breath"
} as const

/** `E`: what an adapter's parts fail with before the port's error names the method. */
export interface KernelFence<E = NodeNetworkError> {
  /** Makes what is missing of the tables and becomes their owner; addresses in them stay as they are. */
  readonly claim: (owner: FenceNonce) => Effect.Effect<void, E>
  /** Puts the only ticket: whatever was announced by an earlier one is refused from now on. */
  readonly putTicket: (ticket: FenceNonce, lifeMillis: number) => Effect.Effect<void, E>
  /**
   * Replaces the whole content in one transaction, and uses up the ticket. What a foreign hand did to it may stay until it is
   * doubted.
   */
  readonly write: (write: FenceWrite) => Effect.Effect<void, E>
  /** The next write puts right whatever there is. Without a ticket, since it may take as long as a look. */
  readonly doubt: Effect.Effect<void, E>
  /** The content that was written last lives on, which costs the same for any number of addresses; uses up the ticket. */
  readonly renew: (renewal: FenceRenewal) => Effect.Effect<void, E>
  /** Undefined: there is no table, and nothing is fenced. */
  readonly state: Effect.Effect<FenceState | undefined, E>
  /** Takes the tables away; nothing is fenced any more. */
  readonly remove: Effect.Effect<void, E>
}
