/**
 * The network of the node on which an operator runs: interfaces, addresses, announcements. Every method is idempotent.
 * It never guesses what is ours: callers name the address and the interface. `test/conformance/NodeNetwork.test.ts` is
 * this contract, run on a real network namespace and on the in-memory twin.
 */
import { Context, Schema } from "effect"
import type { Effect, Stream } from "effect"
import type { Address } from "../domain/Address.ts"
import type { PacketPath } from "../domain/FenceBypass.ts"
import type { Claimant } from "../domain/ProbeAnswers.ts"
import type { Category } from "./Category.ts"
import { FenceRefused, type KernelFence } from "./KernelFence.ts"

export interface InterfaceAddress {
  readonly address: Address
  readonly prefixLength: number
  /** `global`, `link`, `host` or a number, as `ip` prints it. v0.4 and we write `link` for IPv4. */
  readonly scope: string
  /** IPv4 only; ours is `<interface>:pllb`. */
  readonly label?: string | undefined
  /** Absent: none was given. */
  readonly metric?: number | undefined
  /** Absent: for ever. */
  readonly validSeconds?: number | undefined
}

export interface NetworkInterface {
  readonly name: string
  readonly index: number
  readonly mac: string
  readonly up: boolean
  readonly kind: "bridge" | "loopback" | "other"
  /** Bridge ports: interfaces whose master this is. */
  readonly ports: ReadonlyArray<string>
  readonly addresses: ReadonlyArray<InterfaceAddress>
}

export interface NetworkState {
  readonly interfaces: ReadonlyArray<NetworkInterface>
  /** Interfaces of the default routes of both families, in the order of their metric, without duplicates. */
  readonly defaultRouteInterfaces: ReadonlyArray<string>
  /** Effective `arp_ignore`: the larger of `all` and the interface, as the kernel takes it; by interface name. */
  readonly arpIgnore: { readonly [interfaceName: string]: number }
}

export interface HeldAddress {
  readonly address: Address
  readonly interfaceName: string
}

/** The interface is not there, or disappeared meanwhile. */
export class InterfaceMissing extends Schema.TaggedClass<InterfaceMissing>()("InterfaceMissing", {
  interfaceName: Schema.String
}) {
  readonly category: Category = "transient"
}
/** EPERM, EACCES: the container lacks NET_ADMIN or NET_RAW. */
export class NotPermitted extends Schema.TaggedClass<NotPermitted>()("NotPermitted", { message: Schema.String }) {
  readonly category: Category = "permanent"
}
/** A tool is absent, did not start, exited or printed what we do not understand. */
export class ToolFailed extends Schema.TaggedClass<ToolFailed>()("ToolFailed", {
  tool: Schema.String,
  message: Schema.String
}) {
  readonly category: Category = "transient"
}

export class NodeNetworkError extends Schema.TaggedError<NodeNetworkError>()("NodeNetworkError", {
  method: Schema.Literals([
    "state",
    "addAddress",
    "removeAddress",
    "canSend",
    "announce",
    "probe",
    "forgetFlows",
    "changes",
    "identity",
    "packetPath",
    "fence"
  ]),
  reason: Schema.Union([InterfaceMissing, NotPermitted, ToolFailed, FenceRefused])
}) {
  get category(): Category {
    return this.reason.category
  }
  override get message(): string {
    const detail =
      this.reason._tag === "InterfaceMissing"
        ? `there is no interface ${this.reason.interfaceName}`
        : this.reason.message
    return `${this.method}: ${this.reason._tag}: ${detail}`
  }
}

export class NodeNetwork extends Context.Service<
  NodeNetwork,
  {
    /** Read anew from the kernel. */
    readonly state: Effect.Effect<NetworkState, NodeNetworkError>
    /**
     * Puts `/32` (scope link, label `<interface>:pllb`) or `/128` (nodad) with our metric on the interface. Present
     * already with the same attributes: nothing happens; with others (v0.4 wrote no metric): they are replaced in place.
     */
    readonly addAddress: (held: HeldAddress) => Effect.Effect<void, NodeNetworkError>
    /** Absent, or its interface gone: nothing to do. Removes the host prefix (`/32`, `/128`) only unless given another. */
    readonly removeAddress: (held: HeldAddress, prefixLength?: number) => Effect.Effect<void, NodeNetworkError>
    /** Whether frames can be sent at all, found out without sending one: `announce` and `probe` fail where this does. */
    readonly canSend: Effect.Effect<void, NodeNetworkError>
    /** One gratuitous ARP (RFC 5227) or unsolicited neighbour advertisement (RFC 4861) each, in one write. */
    readonly announce: (addresses: ReadonlyArray<Address>, uplink: string) => Effect.Effect<void, NodeNetworkError>
    /**
     * Asks on this uplink who has these addresses, none of which this node has: ARP probes (RFC 5227), neighbour
     * solicitations as in duplicate address detection (RFC 4862). Answers who said so, for 0.2 s; shorter when for each
     * somebody did. Machines of the cluster are among them.
     */
    readonly probe: (
      addresses: ReadonlyArray<Address>,
      uplink: string
    ) => Effect.Effect<ReadonlyArray<Claimant>, NodeNetworkError>
    /** The kernel tracks no UDP flow to these addresses any more; those of other protocols stay. */
    readonly forgetFlows: (addresses: ReadonlyArray<Address>) => Effect.Effect<void, NodeNetworkError>
    /** Wakes whenever a link or an address changed; it says nothing more, read `state`. */
    readonly changes: Stream.Stream<void, NodeNetworkError>
    /** `boot_id` differs after each boot (proc(5)); `systemUuid` is the machine's, empty where it cannot be read. */
    readonly identity: Effect.Effect<{ readonly bootId: string; readonly systemUuid: string }, NodeNetworkError>
    /** What these uplinks' packets meet on their way in: whether the fence stands in it. Read anew, by several processes. */
    readonly packetPath: (uplinks: ReadonlyArray<string>) => Effect.Effect<PacketPath, NodeNetworkError>
    readonly fence: KernelFence
  }
>()("plenuslb/ports/NodeNetwork") {}
