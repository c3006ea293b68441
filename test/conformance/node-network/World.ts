/** A node and its surroundings, as the conformance suite needs them: the port, and what others do to the node. */
import type { Effect, Scope } from "effect"
import type { Address } from "../../../src/domain/Address.ts"
import type { InterfaceAddress, NodeNetwork } from "../../../src/ports/NodeNetwork.ts"

export interface Announcement {
  readonly address: Address
  readonly mac: string
}

/** What a client finds that asks for an address, and one that knows already which node has it. */
export interface Found {
  /** ARP or neighbour discovery is answered. */
  readonly isAnswered: boolean
  /** A packet that comes by the uplink is accepted. */
  readonly isAccepted: boolean
}

export interface Listener {
  /** Waits until so many announcements have arrived since the last call, and gives exactly these. */
  readonly take: (count: number) => Effect.Effect<ReadonlyArray<Announcement>>
}

/**
 * At the start: `lo`; the empty bridge `pl0`; the uplinks `up0` and `up1`, each with a neighbour; all up. `up0` has
 * 198.51.100.2/24 and 2001:db8:ffff::2/64. No default route, arp_ignore 0.
 */
export interface World {
  readonly network: NodeNetwork["Service"]
  /** The same node, seen by a process without NET_ADMIN and NET_RAW. */
  readonly unprivileged: Effect.Effect<NodeNetwork["Service"]>
  /** The same node, seen by a process that has no tools. */
  readonly toolless: Effect.Effect<NodeNetwork["Service"]>
  /** Hears what arrives at the neighbour on this uplink, from when it is returned. */
  readonly listen: (uplink: string) => Effect.Effect<Listener, never, Scope.Scope>
  /** As the neighbour on `up0` finds an address of its network: 198.51.100.0/24 or 2001:db8:ffff::/64. */
  readonly seek: (address: Address) => Effect.Effect<Found>
  /** A machine behind the uplink takes an address of the networks of `up0`; answers its hardware address. */
  readonly foreignHost: (uplink: string, address: Address) => Effect.Effect<string>
  readonly foreignLeaves: (uplink: string, address: Address) => Effect.Effect<void>
  /** The kernel tracks a flow to this address. */
  readonly track: (protocol: "tcp" | "udp", to: Address) => Effect.Effect<void>
  /** `udp 192.0.2.1`, of the flows that it tracks, in no order. */
  readonly flows: Effect.Effect<ReadonlyArray<string>>
  /** Lets time pass for the node until the condition holds. */
  readonly until: <E>(condition: Effect.Effect<boolean, E>) => Effect.Effect<void, E>
  /** Somebody takes all rules of the node's packet filter away. */
  readonly flushRuleset: Effect.Effect<void>
  /** Somebody takes an IPv4 address off those that the fence judges. */
  readonly foreignUnmanages: (address: Address) => Effect.Effect<void>
  readonly foreignAdd: (interfaceName: string, address: InterfaceAddress) => Effect.Effect<void>
  readonly foreignDelete: (interfaceName: string, address: Address, prefixLength: number) => Effect.Effect<void>
  readonly createBridge: (name: string) => Effect.Effect<void>
  readonly createUplink: (name: string) => Effect.Effect<void>
  readonly deleteInterface: (name: string) => Effect.Effect<void>
  readonly renameInterface: (from: string, to: string) => Effect.Effect<void>
  readonly setUp: (name: string, up: boolean) => Effect.Effect<void>
  readonly attachPort: (port: string, bridge: string) => Effect.Effect<void>
  /** The name may be `all`. */
  readonly setArpIgnore: (name: string, value: number) => Effect.Effect<void>
  readonly setRpFilter: (name: string, value: number) => Effect.Effect<void>
  /** kube-proxy writes its chains; at the start there are none. */
  readonly kubeProxyRuns: (mode: "iptables" | "nftables") => Effect.Effect<void>
  /** An eBPF program as tc's filter on what comes in. */
  readonly attachTcProgram: (name: string) => Effect.Effect<void>
  readonly addDefaultRoute: (interfaceName: string, family: "IPv4" | "IPv6", metric: number) => Effect.Effect<void>
}

export type MakeWorld = Effect.Effect<World, never, Scope.Scope>
