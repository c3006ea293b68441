/**
 * The NodeNetwork port on a Linux node: iproute2 for state and addresses, nftables for the fence, socat for raw
 * frames, conntrack for flows, /proc for the rest. Needs NET_ADMIN for addresses, fence and flows, and NET_RAW for announcements
 * and probes.
 */
import { readFile } from "node:fs/promises"
import { Effect, Layer, type Scope, Semaphore, Stream } from "effect"
import { hostPrefixLength } from "../../domain/HostAddress.ts"
import {
  type HeldAddress,
  type NetworkState,
  NodeNetwork,
  NodeNetworkError,
  ToolFailed
} from "../../ports/NodeNetwork.ts"
import { announce, canSend } from "./Announcer.ts"
import { changes } from "./ChangeMonitor.ts"
import * as IpBatch from "./IpBatch.ts"
import { deleteArguments, difference, isAbsent, isPresent, putArguments } from "./IpAddress.ts"
import * as Flows from "./Flows.ts"
import * as FrameChannels from "./FrameChannels.ts"
import * as LinuxFence from "./LinuxFence.ts"
import {
  decodeNodeAddresses,
  decodeConf,
  decodeLinks,
  decodeRoutes,
  type LinkInfo,
  OutputIncomplete,
  toNetworkState
} from "./IpOutput.ts"
import { misread, type Misread, quote } from "./Misread.ts"
import * as PacketPathReader from "./PacketPathReader.ts"
import { probe } from "./Prober.ts"
import { defaultToolbox, run, type Reason, type Toolbox } from "./Tool.ts"
import * as ToolShell from "./ToolShell.ts"

export interface Options {
  /** Goes before every command, such as `nsenter --net=/run/netns/x`. */
  readonly commandPrefix?: ReadonlyArray<string>
  /** Other names or paths of the tools. */
  readonly tools?: Partial<Omit<Toolbox, "commandPrefix">>
}

/** So many short reading processes at once. */
const processesMax = 4

export const layer = (options: Options = {}): Layer.Layer<NodeNetwork> => Layer.effect(NodeNetwork, make(options))

export const make = (options: Options): Effect.Effect<NodeNetwork["Service"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const { commandPrefix = [], tools } = options
    const toolbox: Toolbox = { ...defaultToolbox, ...tools, commandPrefix }
    const limit = (yield* Semaphore.make(processesMax)).withPermit
    const shell = yield* ToolShell.make(toolbox)
    const channels = yield* FrameChannels.make(toolbox, shell)
    const fence = yield* LinuxFence.make(toolbox)
    const fenced = fail("fence")
    const readPacketPath = PacketPathReader.make(toolbox)
    const ip: Ip = {
      links: (interfaceName) => {
        const args = ["-j", "address", "show", "dev", interfaceName]
        return limit(run(toolbox, toolbox.ip, args, { interfaceName })).pipe(
          Effect.flatMap((text) =>
            decoded(toolbox, decodeLinks(text), { tool: toolbox.ip, args, expected: linksExpected })
          )
        )
      },
      change: IpBatch.make(toolbox).submit
    }

    return NodeNetwork.of({
      state: stateOf(toolbox, shell, limit).pipe(fail("state")),
      addAddress: (held) => put(ip, held).pipe(fail("addAddress")),
      removeAddress: (held, prefixLength = hostPrefixLength(held.address)) =>
        remove(ip, held, prefixLength).pipe(fail("removeAddress")),
      canSend: limit(canSend(toolbox)).pipe(fail("canSend")),
      announce: (addresses, uplink) => announce(channels, addresses, uplink).pipe(fail("announce")),
      probe: (addresses, uplink) => probe(toolbox, channels, addresses, uplink).pipe(fail("probe")),
      forgetFlows: (addresses) => Flows.forget(toolbox, addresses).pipe(fail("forgetFlows")),
      changes: changes(toolbox).pipe(Stream.mapError((reason) => new NodeNetworkError({ method: "changes", reason }))),
      identity: identity.pipe(fail("identity")),
      packetPath: (uplinks) => limit(readPacketPath(uplinks)).pipe(fail("packetPath")),
      fence: {
        claim: (owner) => fence.claim(owner).pipe(fenced),
        putTicket: (ticket, lifeMillis) => fence.putTicket(ticket, lifeMillis).pipe(fenced),
        write: (write) => fence.write(write).pipe(fenced),
        doubt: fence.doubt.pipe(fenced),
        renew: (renewal) => fence.renew(renewal).pipe(fenced),
        state: fence.state.pipe(fenced),
        remove: fence.remove.pipe(fenced)
      }
    })
  })

interface Ip {
  /** The interface of that name, with its addresses. */
  readonly links: (interfaceName: string) => Effect.Effect<ReadonlyArray<LinkInfo>, Reason>
  readonly change: IpBatch.IpBatch["submit"]
}
type Limit = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

const fail = (method: NodeNetworkError["method"]) =>
  Effect.mapError((reason: Reason) => new NodeNetworkError({ method, reason }))

const decoded = <A, E extends Error>(
  toolbox: Toolbox,
  effect: Effect.Effect<A, E>,
  printed: Omit<Misread, "found">
): Effect.Effect<A, Reason> =>
  Effect.catch(effect, ({ message }) => misread(toolbox, { ...printed, found: quote(message) }))

const linksExpected = "a JSON list of interfaces with ifname, ifindex, flags and addr_info"
const routesExpected = "a JSON list of routes"

const addressesArgs = ["-j", "-d", "address", "show"]
const routesArgs = ([4, 6] as const).map((family) => ["-j", `-${family}`, "route", "show", "default"])

/** As one question to the shell; whatever is odd about the answer, the tools are run one by one to tell what. */
const stateOf = (toolbox: Toolbox, shell: ToolShell.ToolShell, limit: Limit): Effect.Effect<NetworkState, Reason> => {
  const commands = [
    ...[addressesArgs, ...routesArgs].map((args) => ({ tool: toolbox.ip, args })),
    { tool: toolbox.grep, args: ["-sH", ".", fileOf("*")], isPartialEnough: true }
  ]
  const oneByOne = limitedState(toolbox, limit)
  return Effect.flatMap(shell.ask(commands), (outputs) =>
    outputs === undefined ? oneByOne : Effect.catch(decodeState(outputs), () => oneByOne)
  )
}

const decodeState = Effect.fnUntraced(function* ([
  links = "",
  routes4 = "",
  routes6 = "",
  conf = ""
]: ReadonlyArray<string>) {
  const arpIgnore = decodeConf(conf, "arp_ignore")
  if (!arpIgnore.has("all")) return yield* Effect.fail(new OutputIncomplete({ message: quote(conf) }))
  const routes = [...(yield* decodeRoutes(routes4)), ...(yield* decodeRoutes(routes6))]
  return toNetworkState(yield* decodeNodeAddresses(links), routes, arpIgnore)
})

const limitedState = Effect.fnUntraced(function* (toolbox: Toolbox, limit: Limit) {
  const read = <A, E extends Error>(
    decode: (text: string) => Effect.Effect<A, E>,
    expected: string,
    args: ReadonlyArray<string>
  ) =>
    limit(run(toolbox, toolbox.ip, args)).pipe(
      Effect.flatMap((text) => decoded(toolbox, decode(text), { tool: toolbox.ip, args, expected }))
    )
  const links = yield* read(decodeNodeAddresses, linksExpected, addressesArgs)
  const routes = yield* Effect.forEach(routesArgs, (args) => read(decodeRoutes, routesExpected, args))
  const arpIgnore = yield* limit(readArpIgnore(toolbox, links))
  return toNetworkState(links, routes.flat(), arpIgnore)
})

const fileOf = (name: string): string => `/proc/sys/net/ipv4/conf/${name}/arp_ignore`

/**
 * By name and not `grep -r`, which looks at every file of every interface: 30-56 ms with 200 of them instead of 9. In a
 * process, because /proc/sys/net shows the network namespace of who reads it. An interface may go meanwhile; `all` stays.
 */
const readArpIgnore = (toolbox: Toolbox, links: ReadonlyArray<LinkInfo>) => {
  const names = ["all", ...links.flatMap(({ ifname }) => (ifname === undefined ? [] : [ifname]))]
  const printed = { tool: toolbox.grep, args: ["-sH", ".", fileOf("all")], expected: `${fileOf("all")}:NUMBER` }
  return run(toolbox, toolbox.grep, ["-sH", ".", ...names.map(fileOf)], { isPartialEnough: true }).pipe(
    Effect.flatMap((text) => {
      const found = decodeConf(text, "arp_ignore")
      return decoded(
        toolbox,
        found.has("all") ? Effect.succeed(found) : Effect.fail(new OutputIncomplete({ message: quote(text) })),
        printed
      )
    })
  )
}

/** `add` and not `replace` first: it changes nothing and wakes nobody when the address is there already. */
const put = (ip: Ip, held: HeldAddress): Effect.Effect<void, Reason> =>
  ip.change(putArguments("add", held), held.interfaceName).pipe(Effect.catchIf(isPresent, () => correct(ip, held)))

const correct = Effect.fnUntraced(function* (ip: Ip, held: HeldAddress) {
  const prefixLength = hostPrefixLength(held.address)
  const links = yield* ip.links(held.interfaceName)
  const found = links
    .flatMap(({ addr_info }) => addr_info ?? [])
    .find(({ local, prefixlen }) => local === held.address && prefixlen === prefixLength)
  const needed = found === undefined ? "anew" : difference(found, held)
  if (needed === "none") return
  const replace = ip.change(putArguments("replace", held), held.interfaceName)
  // Scope and label stay when an IPv4 address is replaced, so it goes first, in the same batch: gone for microseconds.
  const steps = needed === "anew" ? [remove(ip, held, prefixLength), replace] : [replace]
  yield* Effect.all(steps, { concurrency: "unbounded", discard: true })
})

const remove = (ip: Ip, held: HeldAddress, prefixLength: number): Effect.Effect<void, Reason> =>
  ip.change(deleteArguments(held, prefixLength), held.interfaceName).pipe(
    Effect.catchIf(
      (reason) => isAbsent(reason) || reason._tag === "InterfaceMissing",
      () => Effect.void
    )
  )

const readText = (path: string): Effect.Effect<string, Reason> =>
  Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: (cause) => new ToolFailed({ tool: "proc", message: `${path}: ${String(cause)}` })
  }).pipe(Effect.map((text) => text.trim()))

/** Where there is no DMI table (some virtual machines, ARM boards) or no right to read it, the machine has no UUID. */
const identity = Effect.all({
  bootId: readText("/proc/sys/kernel/random/boot_id"),
  systemUuid: readText("/sys/class/dmi/id/product_uuid").pipe(
    Effect.map((uuid) => uuid.toLowerCase()),
    Effect.orElseSucceed(() => "")
  )
})
