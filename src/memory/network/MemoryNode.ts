/**
 * One node's kernel in memory: its interfaces and their addresses, routes, sysctls, tracked flows, and what leaves and reaches
 * it on its uplinks. `Device` is one interface of it, `MemoryFence` its tables of nftables, `MemoryNodeNetwork` the port to it.
 */
import { type Address, familyOf } from "../../domain/Address.ts"
import type { PacketPath } from "../../domain/FenceBypass.ts"
import { hostPrefixLength, labelFor, ownMetric, scopeOf } from "../../domain/HostAddress.ts"
import type { Claimant } from "../../domain/ProbeAnswers.ts"
import { strictUplinks } from "../../domain/ReversePath.ts"
import {
  type HeldAddress,
  type InterfaceAddress,
  InterfaceMissing,
  type NetworkState,
  type NodeNetworkError,
  NotPermitted,
  ToolFailed
} from "../../ports/NodeNetwork.ts"
import { Device, type InterfaceOptions } from "./Device.ts"
import { MemoryFence } from "./MemoryFence.ts"

/** One frame as it left: what a neighbour learns from it. */
export interface Announcement {
  readonly address: Address
  readonly mac: string
  readonly uplink: string
}

/** Tracked by the kernel. */
export interface Flow {
  readonly protocol: "tcp" | "udp"
  readonly to: Address
}

export interface DefaultRoute {
  readonly interfaceName: string
  readonly metric: number
}

export interface Identity {
  readonly bootId: string
  readonly systemUuid: string
}

/** Who is beside the node, and what it is told of itself. */
export interface Surroundings {
  readonly identity?: Identity
  /** Called for each frame as it leaves; a simulated network segment listens here. */
  readonly onAnnouncement?: (announcement: Announcement) => void
  /** Who else on the segment behind the uplink says, when asked, that he has the address. */
  readonly onProbe?: (address: Address, uplink: string) => ReadonlyArray<string>
}

export type Reason = NodeNetworkError["reason"]

/** Interfaces, routes and what else the kernel has; every change wakes who listens. */
export class MemoryNode {
  readonly devices = new Map<string, Device>()
  readonly arpIgnore = new Map<string, number>()
  readonly rpFilter = new Map<string, number>()
  readonly announcements: Array<Announcement> = []
  readonly calls = new Map<NodeNetworkError["method"], number>()
  readonly listeners = new Set<() => void>()
  readonly fence = new MemoryFence()
  flows: ReadonlyArray<Flow> = []
  routes: ReadonlyArray<DefaultRoute> = []
  permitted = true
  kubeProxy: PacketPath["kubeProxy"] = "found"
  toolFailure: string | undefined
  identity: Identity
  private nextIndex = 1
  /** As it is until something changes: it is looked at far more often. */
  private known: NetworkState | undefined
  private readonly onAnnouncement: (announcement: Announcement) => void
  private readonly onProbe: (address: Address, uplink: string) => ReadonlyArray<string>

  constructor(options: Surroundings) {
    this.identity = options.identity ?? { bootId: "00000000-0000-4000-8000-000000000001", systemUuid: "" }
    this.onAnnouncement = options.onAnnouncement ?? (() => undefined)
    this.onProbe = options.onProbe ?? (() => [])
  }

  /** What the kernel tells nobody of. */
  alter(body: () => void): void {
    body()
    this.known = undefined
  }

  change(body: () => void): void {
    this.alter(body)
    for (const wake of this.listeners) wake()
  }

  device(name: string): Device {
    const device = this.devices.get(name)
    if (device === undefined) throw new Error(`the simulated node has no interface ${name}`)
    return device
  }

  create(options: InterfaceOptions): void {
    this.devices.set(options.name, new Device(options, this.nextIndex++))
  }

  delete(name: string): void {
    this.devices.delete(name)
    this.routes = this.routes.filter((route) => route.interfaceName !== name)
    for (const device of this.devices.values()) if (device.master === name) device.master = undefined
  }

  /** As `inetdev_changename` of the kernel (net/ipv4/devinet.c). */
  rename(from: string, to: string): void {
    const device = this.device(from)
    device.name = to
    let isFirst = true
    device.addresses = device.addresses.map((each) => {
      if (familyOf(each.address) === "IPv6") return each
      const suffix = isFirst ? "" : (/:.*$/.exec(each.label ?? "")?.[0] ?? "")
      isFirst = false
      return { ...each, label: `${to}${suffix}` }
    })
    const others = [...this.devices.values()]
    this.devices.clear()
    for (const each of others) this.devices.set(each.name, each)
    for (const each of others) if (each.master === from) each.master = to
    this.routes = this.routes.map((route) => (route.interfaceName === from ? { ...route, interfaceName: to } : route))
  }

  setUp(name: string, up: boolean): void {
    const device = this.device(name)
    device.up = up
    if (up) return
    device.addresses = device.addresses.filter(({ address }) => familyOf(address) === "IPv4")
    this.routes = this.routes.filter((route) => route.interfaceName !== name)
  }

  /** The same object for as long as nothing changes. */
  state(): NetworkState {
    this.known ??= this.read()
    return this.known
  }

  private read(): NetworkState {
    const devices = [...this.devices.values()]
    const everywhere = this.arpIgnore.get("all") ?? 0
    const effective = (name: string) => Math.max(everywhere, this.arpIgnore.get(name) ?? 0)
    const routes = this.routes.toSorted((left, right) => left.metric - right.metric)
    return {
      interfaces: devices.map(({ name, index, mac, up, kind, addresses }) => ({
        name,
        index,
        mac,
        up,
        kind,
        ports: devices.filter((port) => port.master === name).map((port) => port.name),
        addresses: [...addresses]
      })),
      defaultRouteInterfaces: [...new Set(routes.map((route) => route.interfaceName))],
      arpIgnore: Object.fromEntries(devices.map(({ name }) => [name, effective(name)] as const))
    }
  }

  add({ address, interfaceName }: HeldAddress): Reason | void {
    const device = this.devices.get(interfaceName)
    if (device === undefined) return new InterfaceMissing({ interfaceName })
    if (!this.permitted) return notPermitted("ip")
    const label = labelFor(address, interfaceName)
    const wanted: InterfaceAddress = {
      address,
      prefixLength: hostPrefixLength(address),
      scope: scopeOf(address),
      metric: ownMetric,
      // An IPv4 address without a label of its own prints the name of its interface.
      ...(familyOf(address) === "IPv4" ? { label: label ?? interfaceName } : {})
    }
    const found = device.find(address, wanted.prefixLength)
    if (found !== undefined && sameAttributes(found, wanted)) return
    this.change(() => {
      device.take(address, wanted.prefixLength)
      device.addresses.push(wanted)
    })
  }

  remove({ address, interfaceName }: HeldAddress, prefixLength: number): Reason | void {
    const device = this.devices.get(interfaceName)
    if (device === undefined) return
    if (!this.permitted) return notPermitted("ip")
    if (device.find(address, prefixLength) !== undefined) this.change(() => device.take(address, prefixLength))
  }

  forgetFlows(addresses: ReadonlyArray<Address>): Reason | void {
    if (addresses.length === 0) return
    if (!this.permitted) return notPermitted("conntrack")
    this.flows = this.flows.filter(({ protocol, to }) => protocol !== "udp" || !addresses.includes(to))
  }

  packetPath(uplinks: ReadonlyArray<string>): PacketPath | Reason {
    if (!this.permitted) return notPermitted("nft")
    const found = [...this.devices.values()].filter(({ name }) => uplinks.includes(name))
    const programs = found.flatMap(({ name, programs: hooks }) => hooks.map((hook) => ({ interfaceName: name, hook })))
    return {
      kubeProxy: this.devices.has("kube-ipvs0") ? "found" : this.kubeProxy,
      programs,
      strictUplinks: strictUplinks({
        uplinks: found.map(({ name }) => name),
        defaultRouteInterfaces: this.routes.map(({ interfaceName }) => interfaceName),
        rpFilterOf: (name) => Math.max(this.rpFilter.get("all") ?? 0, this.rpFilter.get(name) ?? 0)
      })
    }
  }

  ask(address: Address, uplink: string): ReadonlyArray<Claimant> {
    return this.onProbe(address, uplink).map((mac) => ({ address, mac }))
  }

  mayProbe(addresses: ReadonlyArray<Address>, uplink: string): Reason | void {
    const device = addresses.length === 0 ? undefined : this.sending(uplink)
    return device instanceof Device ? undefined : device
  }

  private sending(uplink: string): Device | Reason {
    const device = this.devices.get(uplink)
    if (device === undefined) return new InterfaceMissing({ interfaceName: uplink })
    if (!device.up) return new ToolFailed({ tool: "ip", message: `${uplink} is down` })
    return this.permitted ? device : notPermitted("socat")
  }

  announce(addresses: ReadonlyArray<Address>, uplink: string): Reason | void {
    if (addresses.length === 0) return
    const device = this.sending(uplink)
    if (!(device instanceof Device)) return device
    for (const address of addresses) {
      const announcement = { address, mac: device.mac, uplink }
      this.announcements.push(announcement)
      this.onAnnouncement(announcement)
    }
  }
}

export const notPermitted = (tool: string): Reason => new NotPermitted({ message: `${tool}: Operation not permitted` })

const sameAttributes = (left: InterfaceAddress, right: InterfaceAddress): boolean =>
  left.scope === right.scope &&
  left.label === right.label &&
  left.metric === right.metric &&
  left.validSeconds === right.validSeconds
