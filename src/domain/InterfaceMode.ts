/**
 * How a pool's interface is used on one node, or why it cannot be. Pure.
 *
 * - `bridge`, as v0.4: an interface that carries nothing else, usually an empty bridge. ARP that arrives on an uplink is
 *   answered for it as long as arp_ignore is 0. There is no such thing for IPv6.
 * - `uplink`: the interface on which the neighbours are. Also for IPv6 and beside IPVS with strictARP.
 *
 * Where a provider routes the addresses, neighbours are not asked: either mode does for either family, whatever ARP says,
 * and nothing is announced.
 */
import { type Address, type Family, familyOf } from "./Address.ts"
import { hostPrefixLength, labelFor, ownMetric } from "./HostAddress.ts"

export interface AddressFacts {
  readonly address: Address
  readonly prefixLength: number
  readonly scope: string
  readonly label?: string | undefined
  readonly metric?: number | undefined
  readonly validSeconds?: number | undefined
}

export interface InterfaceFacts {
  readonly name: string
  /** Stays when the interface is renamed. */
  readonly index: number
  readonly kind: "bridge" | "loopback" | "other"
  readonly up: boolean
  readonly ports: ReadonlyArray<string>
  readonly addresses: ReadonlyArray<AddressFacts>
}

/** What is read from the kernel; the node network's state fits. */
export interface NetworkFacts {
  readonly interfaces: ReadonlyArray<InterfaceFacts>
  readonly defaultRouteInterfaces: ReadonlyArray<string>
  /** Effective, by interface name. */
  readonly arpIgnore: { readonly [interfaceName: string]: number }
}

export interface NodeFacts {
  readonly network: NetworkFacts
  /** `status.addresses` of the Node. */
  readonly nodeAddresses: ReadonlyArray<Address>
}

/** `options.hostNetworkInterface` of a pool. */
export interface PoolInterface {
  readonly interfaceName: string
  readonly mode: "auto" | "bridge" | "uplink"
  /** Empty: the interfaces of the default routes. */
  readonly uplinks: ReadonlyArray<string>
  /** A cloud provider sends packets for its addresses to the node, whatever neighbours are told. */
  readonly isRouted?: boolean | undefined
}

export interface Use {
  readonly mode: "bridge" | "uplink"
  /** Where to announce. */
  readonly uplinks: ReadonlyArray<string>
}

export type RefusalReason =
  | "AddressIsNodeAddress"
  | "InterfaceMissing"
  | "InterfaceDown"
  | "InterfaceIsDefaultRoute"
  | "InterfaceCarriesNodeAddress"
  | "InterfaceHasPorts"
  | "InterfaceIsNoUplink"
  | "BridgeCannotServeIPv6"
  | "ArpIgnoreBlocksBridge"
  | "ArpIgnoreBlocksUplink"
  | "IPVSWithoutStrictARP"

/** The reason is stable and goes into conditions; the message says what, why and what to write. */
export interface Refusal {
  readonly reason: RefusalReason
  readonly message: string
}

export const isRefusal = (verdict: Use | Refusal): verdict is Refusal => "reason" in verdict

/** Interfaces where kube-proxy in IPVS mode binds every Service address, on every node. */
const ipvsInterface = "kube-ipvs0"

/**
 * Judges addresses on one node. What does not depend on the address itself is found out once for a pool's interface and a
 * family: that looks at every address on the interface, and would for each of a thousand look at a thousand.
 */
export const judging = (node: NodeFacts): ((pool: PoolInterface, address: Address) => Use | Refusal) => {
  const nodeAddresses = new Set(node.nodeAddresses)
  const verdicts = new Map<string, Use | Refusal>()
  return (pool, address) => {
    if (nodeAddresses.has(address)) return isNodeAddress(address)
    const family = familyOf(address)
    const key = JSON.stringify([family, pool.interfaceName, pool.mode, pool.uplinks, pool.isRouted === true])
    const verdict = verdicts.get(key) ?? judgeInterface(node, pool, family)
    verdicts.set(key, verdict)
    return verdict
  }
}

const judgeInterface = (node: NodeFacts, pool: PoolInterface, family: Family): Use | Refusal => {
  const found = node.network.interfaces.find(({ name }) => name === pool.interfaceName)
  if (found === undefined) return missing(pool.interfaceName)
  if (!found.up) return down(found.name)
  const uplinks = uplinksOf(node.network, pool)
  if (pool.isRouted === true) return judgeRouted(node, pool, found, uplinks)
  const refusal =
    family === "IPv4"
      ? (ipvsWithoutStrictArp(node.network, uplinks) ?? answersNobody(node.network, uplinks))
      : undefined
  if (refusal !== undefined) return refusal
  if (pool.mode === "uplink") return asUplink(found.name, uplinks)
  const blocked = bridgeRefusal(node, pool, found) ?? unreachableOnBridge(node.network, found.name, uplinks, family)
  if (blocked === undefined) return { mode: "bridge", uplinks }
  return pool.mode === "auto" && uplinks.includes(found.name) ? { mode: "uplink", uplinks } : blocked
}

const judgeRouted = (
  node: NodeFacts,
  pool: PoolInterface,
  found: InterfaceFacts,
  uplinks: ReadonlyArray<string>
): Use | Refusal => {
  if (pool.mode === "uplink") return { mode: "uplink", uplinks: [] }
  const blocked = bridgeRefusal(node, pool, found)
  if (blocked === undefined) return { mode: "bridge", uplinks: [] }
  return pool.mode === "auto" && uplinks.includes(found.name) ? { mode: "uplink", uplinks: [] } : blocked
}

/** Why an interface may not be treated as one that carries nothing but addresses of ours, whatever the family. */
export const bridgeRefusal = (node: NodeFacts, pool: PoolInterface, found: InterfaceFacts): Refusal | undefined => {
  if (node.network.defaultRouteInterfaces.includes(found.name)) return isDefaultRoute(found.name)
  const own = found.addresses.find((each) => isNodesOwn(node, found, each))
  if (own !== undefined) return carriesNodeAddress(found.name, own)
  // Explicit `bridge` is the word of somebody who knows what the ports are for.
  return pool.mode === "auto" && found.ports.length > 0 ? hasPorts(found) : undefined
}

/** Explicit `uplink` without `uplinks` names the uplink itself, also when no default route goes through it. */
const uplinksOf = (network: NetworkFacts, pool: PoolInterface): ReadonlyArray<string> => {
  if (pool.uplinks.length > 0) return pool.uplinks
  return pool.mode === "uplink" ? [pool.interfaceName] : network.defaultRouteInterfaces
}

/**
 * In the Node's status; or, on anything but a bridge, with the prefix of a network: whoever gave a network card
 * 10.0.0.5/24 gave it to the node, even if Kubernetes does not list it. An empty bridge may have leftovers of any form.
 */
const isNodesOwn = (node: NodeFacts, found: InterfaceFacts, each: AddressFacts): boolean =>
  (node.nodeAddresses.includes(each.address) ||
    (found.kind === "other" && each.prefixLength < hostPrefixLength(each.address))) &&
  isGlobal(each) &&
  !isMarked(each, found.name)

/** Neither loopback nor link-local. Our IPv4 addresses have scope link, so that the scope does not tell. */
export const isGlobal = ({ address, scope }: AddressFacts): boolean =>
  scope !== "host" && address !== "::1" && !/^(127\.|169\.254\.|fe[89ab][0-9a-f]:)/.test(address)

/** Put there by us or, with the label alone, by v0.4; whoever else writes either has to expect this. */
export const isMarked = ({ address, label, metric }: AddressFacts, interfaceName: string): boolean =>
  metric === ownMetric || (label !== undefined && label === labelFor(address, interfaceName))

const asUplink = (interfaceName: string, uplinks: ReadonlyArray<string>): Use | Refusal =>
  uplinks.includes(interfaceName)
    ? { mode: "uplink", uplinks }
    : {
        reason: "InterfaceIsNoUplink",
        message:
          `mode is uplink, but interface ${interfaceName} is not among the uplinks ${list(uplinks)}. ` +
          `Add it to options.hostNetworkInterface.uplinks, or set interfaceName to one of them.`
      }

const ipvsWithoutStrictArp = (network: NetworkFacts, uplinks: ReadonlyArray<string>): Refusal | undefined => {
  if (!network.interfaces.some(({ name }) => name === ipvsInterface)) return undefined
  const open = uplinks.find((uplink) => network.arpIgnore[uplink] === 0)
  if (open === undefined) return undefined
  return {
    reason: "IPVSWithoutStrictARP",
    message:
      `kube-proxy in IPVS mode puts every Service address on ${ipvsInterface} of every node, and with arp_ignore 0 on ` +
      `${open} each of them answers for it. Set ipvs.strictARP: true in kube-proxy's configuration.`
  }
}

/** Of arp_ignore: the kernel answers for no address at all (ip-sysctl; docs/facts/node-network.md). */
const ARP_IGNORE_ALL = 8

const answersNobody = (network: NetworkFacts, uplinks: ReadonlyArray<string>): Refusal | undefined => {
  const mute = uplinks.find((uplink) => network.arpIgnore[uplink] === ARP_IGNORE_ALL)
  if (mute === undefined) return undefined
  return {
    reason: "ArpIgnoreBlocksUplink",
    message:
      `no IPv4 address can be reached by ${mute}: arp_ignore is ${ARP_IGNORE_ALL} there, so that the kernel answers no ` +
      `neighbour. Set the sysctls net.ipv4.conf.all.arp_ignore and net.ipv4.conf.${mute}.arp_ignore to 0, or to 1 where ` +
      `kube-proxy's strictARP needs it: the larger of the two counts.`
  }
}

const unreachableOnBridge = (
  network: NetworkFacts,
  interfaceName: string,
  uplinks: ReadonlyArray<string>,
  family: Family
): Refusal | undefined => {
  const instead = uplinks[0] ?? "the interface of the neighbours"
  if (family === "IPv6") {
    return {
      reason: "BridgeCannotServeIPv6",
      message:
        `an IPv6 address on ${interfaceName} cannot be reached: the kernel answers neighbour solicitations only for ` +
        `addresses of the interface on which they arrive. Give IPv6 addresses a pool of their own with ` +
        `options.hostNetworkInterface.interfaceName: ${instead}.`
    }
  }
  const deaf = uplinks.find((uplink) => (network.arpIgnore[uplink] ?? 0) !== 0)
  if (deaf === undefined) return undefined
  return {
    reason: "ArpIgnoreBlocksBridge",
    message:
      `an address on ${interfaceName} cannot be reached: arp_ignore is ${network.arpIgnore[deaf]} on ${deaf}, so that ` +
      `only addresses of ${deaf} itself are answered for there. Set the sysctls net.ipv4.conf.all.arp_ignore and ` +
      `net.ipv4.conf.${deaf}.arp_ignore to 0, or, where kube-proxy's strictARP needs them, set ` +
      `options.hostNetworkInterface.interfaceName: ${deaf}.`
  }
}

const isNodeAddress = (address: Address): Refusal => ({
  reason: "AddressIsNodeAddress",
  message:
    `${address} is an address of this node itself; held by another node it would cut this one off. ` +
    `Take it out of spec.addresses of its pool.`
})

const missing = (interfaceName: string): Refusal => ({
  reason: "InterfaceMissing",
  message:
    `this node has no interface ${interfaceName}. Create it (an empty bridge: ip link add ${interfaceName} type ` +
    `bridge && ip link set ${interfaceName} up), or correct options.hostNetworkInterface.interfaceName.`
})

const down = (interfaceName: string): Refusal => ({
  reason: "InterfaceDown",
  message: `interface ${interfaceName} is down, and so are its addresses. Run: ip link set ${interfaceName} up`
})

const isDefaultRoute = (interfaceName: string): Refusal => ({
  reason: "InterfaceIsDefaultRoute",
  message:
    `interface ${interfaceName} carries a default route of this node; in bridge mode it would be cleaned of foreign ` +
    `addresses. ${nameABridge(interfaceName)}`
})

const carriesNodeAddress = (interfaceName: string, own: AddressFacts): Refusal => ({
  reason: "InterfaceCarriesNodeAddress",
  message:
    `interface ${interfaceName} carries ${own.address}/${own.prefixLength}, an address of the node itself; in bridge ` +
    `mode it would be cleaned of foreign addresses. ${nameABridge(interfaceName)}`
})

const nameABridge = (interfaceName: string): string =>
  `Name an empty bridge in options.hostNetworkInterface.interfaceName, or set mode: uplink to use ${interfaceName} as it is.`

const hasPorts = ({ name, ports }: InterfaceFacts): Refusal => ({
  reason: "InterfaceHasPorts",
  message:
    `interface ${name} has the ports ${list(ports)}, so that it is no empty bridge, and it is not an uplink either. ` +
    `Set options.hostNetworkInterface.mode to bridge or uplink to say which of the two it is to be.`
})

const list = (names: ReadonlyArray<string>): string => names.join(", ")
