/**
 * The NodeNetwork port in memory, over a `MemoryNode`, as the kernel and iproute2 behave as far as
 * `test/conformance/node-network` goes. Synchronous throughout: no promise, timer, clock or chance, so that it may run in the
 * deterministic simulator. What other programs and the administrator do to the node is on the handle.
 */
import { Clock, Effect, Queue, Stream } from "effect"
import type { Address } from "../../domain/Address.ts"
import type { PacketPath, PacketProgram } from "../../domain/FenceBypass.ts"
import { hostPrefixLength } from "../../domain/HostAddress.ts"
import { answerWithinMillis } from "../../domain/ProbeAnswers.ts"
import { FenceRefused, type KernelFence } from "../../ports/KernelFence.ts"
import {
  type InterfaceAddress,
  InterfaceMissing,
  type NetworkState,
  NodeNetwork,
  NodeNetworkError,
  NotPermitted,
  ToolFailed
} from "../../ports/NodeNetwork.ts"
import type { InterfaceOptions } from "./Device.ts"
import type { MemoryFence } from "./MemoryFence.ts"
import {
  type Announcement,
  type DefaultRoute,
  type Flow,
  type Identity,
  MemoryNode,
  notPermitted,
  type Reason,
  type Surroundings
} from "./MemoryNode.ts"

export interface Options extends Surroundings {
  readonly interfaces?: ReadonlyArray<InterfaceOptions>
  readonly defaultRoutes?: ReadonlyArray<DefaultRoute>
  /** The kernel's own monotonic clock, by which leases run out; absent: that of who calls. */
  readonly kernelMillis?: () => number
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
  const node = new MemoryNode(options)
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
  (node: MemoryNode) =>
  <A>(method: NodeNetworkError["method"], body: () => A): Effect.Effect<Exclude<A, Reason>, NodeNetworkError> =>
    Effect.suspend(() => {
      node.calls.set(method, (node.calls.get(method) ?? 0) + 1)
      const failure = node.toolFailure
      const result = failure === undefined ? body() : new ToolFailed({ tool: "ip", message: failure })
      return isReason(result)
        ? Effect.fail(new NodeNetworkError({ method, reason: result }))
        : Effect.succeed(result as Exclude<A, Reason>)
    })

const networkOf = (node: MemoryNode, kernelMillis: (() => number) | undefined): NodeNetwork["Service"] => {
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
const probing = (node: MemoryNode, addresses: ReadonlyArray<Address>, uplink: string) => {
  const ask = () => addresses.flatMap((address) => node.ask(address, uplink))
  const first = ask()
  const isAnswered = addresses.every((address) => first.some((each) => each.address === address))
  return isAnswered ? Effect.succeed(first) : Effect.map(Effect.sleep(answerWithinMillis), ask)
}

const callerMillis = Clock.clockWith((clock) => Effect.succeed(Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)))

const fenceOf = (node: MemoryNode, now: Effect.Effect<number>): KernelFence => {
  const attempt = attempting(node)
  const byNft = <A>(body: (nowMillis: number) => A) =>
    Effect.flatMap(now, (nowMillis) => attempt("fence", () => (node.permitted ? body(nowMillis) : notPermitted("nft"))))
  const { fence } = node
  return {
    claim: (owner) => byNft(() => fence.claim(owner)),
    putTicket: (ticket, lifeMillis) => byNft((nowMillis) => fence.putTicket(ticket, lifeMillis, nowMillis)),
    write: (write) => byNft((nowMillis) => fence.write(write, nowMillis)),
    doubt: Effect.void,
    renew: (renewal) => byNft((nowMillis) => fence.renew(renewal, nowMillis)),
    state: byNft((nowMillis) => fence.state(nowMillis)),
    remove: byNft(() => fence.remove())
  }
}

const isReason = (value: unknown): value is Reason =>
  value instanceof InterfaceMissing ||
  value instanceof NotPermitted ||
  value instanceof ToolFailed ||
  value instanceof FenceRefused

/** The first waking says that it listens; wakings that nobody took are one. */
const changesOf = (node: MemoryNode): Stream.Stream<void> =>
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
