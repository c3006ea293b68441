/**
 * A node and its neighbours as two network namespaces, `pllnn-<pid>-<thread>-<n>` and the same with `p`, joined by a veth pair
 * for each uplink. Nothing leaves them, and they go with the scope.
 */
import { execFileSync, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { threadId } from "node:worker_threads"
import { Deferred, Effect, Queue, Scope } from "effect"
import { type Address, familyOf } from "../../../src/domain/Address.ts"
import { make, type Options } from "../../../src/live/linux/LinuxNodeNetwork.ts"
import type { InterfaceAddress } from "../../../src/ports/NodeNetwork.ts"
import { type Namespaces, prefixOf, runIn } from "./Namespaces.ts"
import { seek } from "./Seeking.ts"
import { readFrames } from "./FrameReader.ts"
import type { Announcement, Listener, World } from "./World.ts"

/** Undefined when it can run; else why not and what to type. */
export const whyNot = (): string | undefined => {
  if (process.getuid?.() !== 0) return "network namespaces need root"
  const missing = ["ip", "tc", "nft", "socat", "conntrack", "nsenter", "setpriv"].filter((tool) => !has(tool))
  return missing.length === 0
    ? undefined
    : `missing: ${missing.join(", ")} (Debian: apt-get install iproute2 nftables socat conntrack util-linux)`
}

const has = (tool: string): boolean => {
  try {
    execFileSync("sh", ["-c", `command -v ${tool}`], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

const batch = (namespace: string, lines: ReadonlyArray<string>): void =>
  void execFileSync("ip", ["-n", namespace, "-batch", "-"], {
    input: `${lines.join("\n")}\n`,
    stdio: ["pipe", "ignore", "pipe"]
  })

/** What a run that was killed left behind: namespaces that carry the id of a process which is no more. */
const sweep = (): void => {
  const names = execFileSync("ip", ["netns", "list"], { encoding: "utf8" }).matchAll(/^pllnn-(\d+)-\S+/gm)
  for (const [name, pid] of names) {
    if (!existsSync(`/proc/${pid}`)) execFileSync("ip", ["netns", "delete", name])
  }
}

let made = 0

/** Interfaces without addresses of the kernel's own: what the suite does is all that happens. */
const quiet = (name: string) => [`link set ${name} addrgenmode none`, `link set ${name} up`]

export const namespaces: Effect.Effect<Namespaces, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    if (made === 0) sweep()
    const node = `pllnn-${process.pid}-${threadId}-${made++}`
    const peer = `${node}p`
    for (const each of [node, peer]) execFileSync("ip", ["netns", "add", each])
    batch(node, ["link set lo up", "link add pl0 type bridge", ...quiet("pl0")])
    for (const uplink of ["up0", "up1"]) addUplink({ node, peer }, uplink)
    batch(node, ["address add 198.51.100.2/24 dev up0", "address add 2001:db8:ffff::2/64 dev up0 nodad"])
    return { node, peer }
  }),
  ({ node, peer }) => Effect.sync(() => [node, peer].forEach((each) => execFileSync("ip", ["netns", "delete", each])))
)

const peerOf = (uplink: string) => `peer-${uplink}`

const addUplink = ({ node, peer }: Namespaces, uplink: string): void => {
  batch(node, [`link add ${uplink} type veth peer name ${peerOf(uplink)} netns ${peer}`, ...quiet(uplink)])
  batch(peer, quiet(peerOf(uplink)))
}

const withoutCapabilities = ["setpriv", "--bounding-set=-net_admin,-net_raw", "--inh-caps=-net_admin,-net_raw"]

export const worldIn = Effect.fnUntraced(function* (names: Namespaces): Effect.fn.Return<World, never, Scope.Scope> {
  const { node } = names
  const prefix = prefixOf(node)
  const scope = yield* Effect.scope
  const portWith = (options: Options) => Effect.provideService(make(options), Scope.Scope, scope)
  const ip = (...args: ReadonlyArray<string>) => Effect.sync(() => void runIn(node, ["ip", ...args]))
  return {
    network: yield* portWith({ commandPrefix: prefix }),
    unprivileged: portWith({ commandPrefix: [...prefix, ...withoutCapabilities] }),
    toolless: portWith({
      tools: {
        conntrack: "/nonexistent/conntrack",
        ip: "/nonexistent/ip",
        socat: "/nonexistent/socat",
        nft: "/nonexistent/nft",
        grep: "/nonexistent/grep",
        tc: "/nonexistent/tc"
      }
    }),
    listen: (uplink) => listen(names, uplink),
    seek: (address) => seek(names, address),
    foreignHost: (uplink, address) =>
      Effect.sync(() => {
        // All uplinks end in one namespace, which would answer for an address on each of them.
        runIn(names.peer, ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore"])
        runIn(names.peer, ["ip", "address", "add", ...withNetwork(address), "dev", peerOf(uplink)])
        const links = runIn(names.peer, ["ip", "-o", "link", "show", "dev", peerOf(uplink)])
        return /link\/ether (\S+)/.exec(links)?.[1] ?? ""
      }),
    foreignLeaves: (uplink, address) =>
      Effect.sync(
        () => void runIn(names.peer, ["ip", "address", "del", ...withNetwork(address), "dev", peerOf(uplink)])
      ),
    track: (protocol, to) =>
      Effect.sync(() => {
        const from = familyOf(to) === "IPv4" ? "198.51.100.3" : "2001:db8:ffff::3"
        const state = protocol === "tcp" ? ["--state", "ESTABLISHED"] : []
        const flow = ["-p", protocol, "-s", from, "-d", to, "--sport", "5000", "--dport", "53", "-t", "600", ...state]
        runIn(node, ["conntrack", "-I", ...flow])
      }),
    flows: Effect.sync(() =>
      ["ipv4", "ipv6"].flatMap((family) =>
        [...runIn(node, ["conntrack", "-L", "-f", family]).matchAll(/^(udp|tcp) .*? dst=(\S+)/gm)].map(
          ([, protocol = "", to = ""]) => `${protocol} ${to}`
        )
      )
    ),
    until: (condition) => Effect.asVoid(Effect.repeat(condition, { until: (isSo) => isSo })),
    flushRuleset: Effect.sync(() => void runIn(node, ["nft", "flush", "ruleset"])),
    foreignUnmanages: (address) =>
      Effect.sync(() => void runIn(node, ["nft", `delete element inet plenuslb managed4 { ${address} }`])),
    foreignAdd: (name, address) => ip("address", "add", ...addArguments(name, address)),
    foreignDelete: (name, address, prefixLength) => ip("address", "delete", `${address}/${prefixLength}`, "dev", name),
    createBridge: (name) => Effect.sync(() => batch(node, [`link add ${name} type bridge`, ...quiet(name)])),
    createUplink: (name) => Effect.sync(() => addUplink(names, name)),
    deleteInterface: (name) => ip("link", "delete", name),
    renameInterface: (from, to) =>
      Effect.sync(() => batch(node, [`link set ${from} down`, `link set ${from} name ${to}`, `link set ${to} up`])),
    setUp: (name, up) => ip("link", "set", name, up ? "up" : "down"),
    attachPort: (port, bridge) => ip("link", "set", port, "master", bridge),
    setArpIgnore: (name, value) =>
      Effect.sync(() => void runIn(node, ["sh", "-c", `echo ${value} > /proc/sys/net/ipv4/conf/${name}/arp_ignore`])),
    setRpFilter: (name, value) =>
      Effect.sync(() => void runIn(node, ["sh", "-c", `echo ${value} > /proc/sys/net/ipv4/conf/${name}/rp_filter`])),
    kubeProxyRuns: (mode) => Effect.sync(() => void runIn(node, ["nft", chainOf[mode]])),
    attachTcProgram: (name) =>
      Effect.sync(() => {
        runIn(node, ["tc", "qdisc", "add", "dev", name, "clsact"])
        // Classic BPF needs no compiler: "return -1", which leaves packets to the rest of the kernel.
        const program = ["bpf", "bytecode", "1,6 0 0 4294967295,", "direct-action"]
        runIn(node, ["tc", "filter", "add", "dev", name, "ingress", ...program])
      }),
    addDefaultRoute: (name, family, metric) =>
      ip(family === "IPv4" ? "-4" : "-6", "route", "add", "default", "dev", name, "metric", String(metric))
  }
})

/** As kube-proxy 1.31 and newer names them, iptables by iptables-nft. */
const chainOf = {
  iptables: "add table ip mangle; add chain ip mangle KUBE-PROXY-CANARY",
  nftables: "add table ip kube-proxy; add chain ip kube-proxy services"
} as const

const withNetwork = (address: Address) =>
  familyOf(address) === "IPv4" ? [`${address}/24`] : [`${address}/64`, "nodad"]

const addArguments = (name: string, { address, prefixLength, scope, label, validSeconds }: InterfaceAddress) => [
  `${address}/${prefixLength}`,
  "dev",
  name,
  ...(familyOf(address) === "IPv6" ? ["nodad"] : ["scope", scope]),
  ...(label === undefined ? [] : ["label", label]),
  ...(validSeconds === undefined ? [] : ["valid_lft", String(validSeconds), "preferred_lft", String(validSeconds)])
]

/** A packet socket at the neighbour's end, whose frames come one after the other on the pipe. */
const listen = ({ peer }: Namespaces, uplink: string): Effect.Effect<Listener, never, Scope.Scope> =>
  Effect.gen(function* () {
    const heard = yield* Queue.unbounded<Announcement>()
    const ready = yield* Deferred.make<void>()
    // 1,000 frames at once are more than the usual receive buffer holds.
    const source = `INTERFACE:${peerOf(uplink)},setsockopt-int=1:33:8388608`
    const [nsenter = "", ...args] = [...prefixOf(peer), "socat", "-d", "-d", "-u", "-b", "65536", source, "STDOUT"]
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(nsenter, args, { stdio: ["ignore", "pipe", "pipe"] })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    let log = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text
      if (log.includes("starting data transfer loop")) Deferred.doneUnsafe(ready, Effect.void)
    })
    child.on("close", (code) =>
      Deferred.doneUnsafe(ready, Effect.die(new Error(`the listener ended (${code}): ${log}`)))
    )
    let rest: Buffer = Buffer.alloc(0)
    child.stdout.on("data", (bytes: Buffer) => {
      const read = readFrames(Buffer.concat([rest, bytes]))
      rest = read.rest
      for (const each of read.announcements) Queue.offerUnsafe(heard, each)
    })
    yield* Deferred.await(ready)
    return { take: (count) => Queue.takeN(heard, count) }
  })
