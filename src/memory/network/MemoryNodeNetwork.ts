/**
 * The NodeNetwork port in memory, as the kernel and iproute2 behave as far as `test/conformance/node-network` goes.
 * Synchronous throughout: no promise, timer, clock or chance, so that it may run in the deterministic simulator. What
 * other programs and the administrator do to the node is on the handle.
 */
import { Clock, Effect, Queue, Stream } from "effect"
import { type Address, familyOf } from "../../domain/Address.ts"
import type { PacketPath, PacketProgram } from "../../domain/FenceBypass.ts"
import { strictUplinks } from "../../domain/ReversePath.ts"
import { hostPrefixLength, labelFor, ownMetric, scopeOf } from "../../domain/HostAddress.ts"
import {
  type HeldAddress,
  type InterfaceAddress,
  InterfaceMissing,
  type NetworkState,
  NodeNetwork,
  NodeNetworkError,
  NotPermitted,
  ToolFailed
} from "../../ports/NodeNetwork.ts"
import { answerWithinMillis, type Claimant } from "../../domain/ProbeAnswers.ts"
import { FenceRefused, type KernelFence } from "../../ports/KernelFence.ts"
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

export interface Options {
  readonly interfaces?: ReadonlyArray<InterfaceOptions>
  readonly defaultRoutes?: ReadonlyArray<DefaultRoute>
  readonly identity?: Identity
  /** Called for each frame as it leaves; a simulated network segment listens here. */
  readonly onAnnouncement?: (announcement: Announcement) => void
  /** Who else on the segment behind the uplink says, when asked, that he has the address. */
  readonly onProbe?: (address: Address, uplink: string) => ReadonlyArray<string>
  /** The kernel's own monotonic clock, by which leases run out; absent: that of who calls. */
  readonly kernelMillis?: () => number
}

export interface Identity {
  readonly bootId: string
  readonly systemUuid: string
}

export interface Handle {
  readonly network: NodeNetwork["Service"]
  readonly fence: MemoryFence
  readonly state: () => NetworkState
  readonly announcements: () => ReadonlyArray<Announcement>
  /** How often each method of the port was called. */
  readonly calls: () => ReadonlyMap<NodeNetworkError["method"], number>
  readonly createInterface: (options: InterfaceOptions) => void
  readonly deleteInterface: (name: string) => void
  /** The index and the addresses stay; of the IPv4 ones the first loses its label, the others' follows the name. */
  readonly renameInterface: (from: string, to: string) => void
  /** Down: IPv6 addresses and the routes through it go, IPv4 addresses stay. */
  readonly setUp: (name: string, up: boolean) => void
  readonly attachPort: (port: string, bridge: string) => void
  readonly foreignAdd: (interfaceName: string, address: InterfaceAddress) => void
  readonly foreignDelete: (interfaceName: string, address: Address, prefixLength?: number) => void
  readonly setDefaultRoutes: (routes: ReadonlyArray<DefaultRoute>) => void
  /** `all` is a name here, as in /proc/sys. */
  readonly setArpIgnore: (name: string, value: number) => void
  readonly setRpFilter: (name: string, value: number) => void
  /** False: the process lacks NET_ADMIN and NET_RAW. */
  readonly setPermitted: (permitted: boolean) => void
  /** A message: every tool fails with it. Undefined: they work. */
  readonly setToolFailure: (message: string | undefined) => void
  readonly flows: () => ReadonlyArray<Flow>
  readonly track: (flow: Flow) => void
  readonly setIdentity: (identity: Identity) => void
  readonly setKubeProxy: (kubeProxy: PacketPath["kubeProxy"]) => void
  readonly setPrograms: (name: string, hooks: ReadonlyArray<PacketProgram["hook"]>) => void
}

/** A node with loopback and what `options` name, all of it up. */
export const make = (options: Options = {}): Handle => {
  const node = new Node(options)
  for (const each of [{ name: "lo", kind: "loopback" as const }, ...(options.interfaces ?? [])]) node.create(each)
  node.routes = options.defaultRoutes ?? []
  return {
    network: networkOf(node, options.kernelMillis),
    fence: node.fence,
    state: () => node.state(),
    announcements: () => node.announcements,
    calls: () => node.calls,
    createInterface: (each) => node.change(() => node.create(each)),
    deleteInterface: (name) => node.change(() => node.delete(name)),
    renameInterface: (from, to) => node.change(() => node.rename(from, to)),
    setUp: (name, up) => node.change(() => node.setUp(name, up)),
    attachPort: (port, bridge) => node.change(() => void (node.device(port).master = bridge)),
    foreignAdd: (name, address) => node.change(() => node.device(name).put(address)),
    foreignDelete: (name, address, prefixLength = hostPrefixLength(address)) =>
      node.change(() => node.device(name).take(address, prefixLength)),
    setDefaultRoutes: (routes) => node.alter(() => void (node.routes = routes)),
    setArpIgnore: (name, value) => node.alter(() => void node.arpIgnore.set(name, value)),
    setRpFilter: (name, value) => void node.rpFilter.set(name, value),
    setPermitted: (permitted) => void (node.permitted = permitted),
    setToolFailure: (message) => void (node.toolFailure = message),
    flows: () => node.flows,
    track: (flow) => void (node.flows = [...node.flows, flow]),
    setIdentity: (identity) => void (node.identity = identity),
    setKubeProxy: (kubeProxy) => void (node.kubeProxy = kubeProxy),
    setPrograms: (name, hooks) => void (node.device(name).programs = hooks)
  }
}

/** One call of the port, as a tool of the node carries it out. */
const attempting =
  (node: Node) =>
  <A>(method: NodeNetworkError["method"], body: () => A): Effect.Effect<Exclude<A, Reason>, NodeNetworkError> =>
    Effect.suspend(() => {
      node.calls.set(method, (node.calls.get(method) ?? 0) + 1)
      const failure = node.toolFailure
      const result = failure === undefined ? body() : new ToolFailed({ tool: "ip", message: failure })
      return isReason(result)
        ? Effect.fail(new NodeNetworkError({ method, reason: result }))
        : Effect.succeed(result as Exclude<A, Reason>)
    })

const networkOf = (node: Node, kernelMillis: (() => number) | undefined): NodeNetwork["Service"] => {
  const attempt = attempting(node)
  return NodeNetwork.of({
    state: attempt("state", () => node.state()),
    addAddress: (held) => attempt("addAddress", () => node.add(held)),
    removeAddress: (held, prefixLength = hostPrefixLength(held.address)) =>
      attempt("removeAddress", () => node.remove(held, prefixLength)),
    canSend: attempt("canSend", () => (node.permitted ? undefined : notPermitted("socat"))),
    announce: (addresses, uplink) => attempt("announce", () => node.announce(addresses, uplink)),
    probe: (addresses, uplink) =>
      attempt("probe", () => node.mayProbe(addresses, uplink)).pipe(
        Effect.andThen(Effect.suspend(() => probing(node, addresses, uplink)))
      ),
    forgetFlows: (addresses) => attempt("forgetFlows", () => node.forgetFlows(addresses)),
    changes: Stream.unwrap(
      Effect.as(
        attempt("changes", () => undefined),
        changesOf(node)
      )
    ),
    identity: Effect.sync(() => node.identity),
    packetPath: (uplinks) => attempt("packetPath", () => node.packetPath(uplinks)),
    fence: fenceOf(node, kernelMillis === undefined ? callerMillis : Effect.sync(kernelMillis))
  })
}

/** Whoever answers does so at once; the others are waited for. */
const probing = (node: Node, addresses: ReadonlyArray<Address>, uplink: string) => {
  const ask = () => addresses.flatMap((address) => node.ask(address, uplink))
  const first = ask()
  const isAnswered = addresses.every((address) => first.some((each) => each.address === address))
  return isAnswered ? Effect.succeed(first) : Effect.map(Effect.sleep(answerWithinMillis), ask)
}

const callerMillis = Clock.clockWith((clock) => Effect.succeed(Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)))

const fenceOf = (node: Node, now: Effect.Effect<number>): KernelFence => {
  const attempt = attempting(node)
  const byNft = <A>(body: (nowMillis: number) => A) =>
    Effect.flatMap(now, (nowMillis) => attempt("fence", () => (node.permitted ? body(nowMillis) : notPermitted("nft"))))
  const { fence } = node
  return {
    claim: (owner) => byNft(() => fence.claim(owner)),
    putTicket: (ticket, lifeMillis) => byNft((nowMillis) => fence.putTicket(ticket, lifeMillis, nowMillis)),
    write: (write) => byNft((nowMillis) => fence.write(write, nowMillis)),
    renew: (renewal) => byNft((nowMillis) => fence.renew(renewal, nowMillis)),
    state: byNft((nowMillis) => fence.state(nowMillis)),
    remove: byNft(() => fence.remove())
  }
}

type Reason = NodeNetworkError["reason"]

const isReason = (value: unknown): value is Reason =>
  value instanceof InterfaceMissing ||
  value instanceof NotPermitted ||
  value instanceof ToolFailed ||
  value instanceof FenceRefused

/** The first waking says that it listens; wakings that nobody took are one. */
const changesOf = (node: Node): Stream.Stream<void> =>
  Stream.callback<void>(
    (queue) => {
      const wake = () => void Queue.offerUnsafe(queue, undefined)
      const listen = Effect.sync(() => {
        node.listeners.add(wake)
        wake()
      })
      return Effect.acquireRelease(listen, () => Effect.sync(() => node.listeners.delete(wake)))
    },
    { bufferSize: 1, strategy: "sliding" }
  )

class Node {
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

  constructor(options: Options) {
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

const notPermitted = (tool: string): Reason => new NotPermitted({ message: `${tool}: Operation not permitted` })

const sameAttributes = (left: InterfaceAddress, right: InterfaceAddress): boolean =>
  left.scope === right.scope &&
  left.label === right.label &&
  left.metric === right.metric &&
  left.validSeconds === right.validSeconds
