/**
 * What netfilter has of kube-proxy, which eBPF programs stand before it, and whether the kernel drops clients by itself. The texts are those of nftables 1.0.6 and
 * iproute2 6.1, which shows programs of XDP however they were attached, and of tc only its own filters: nothing of tcx.
 */
import { Clock, Effect, Schema } from "effect"
import type { PacketPath, PacketProgram } from "../../domain/FenceBypass.ts"
import { strictUplinks } from "../../domain/ReversePath.ts"
import { decodeConf, decodeNodeLinks, decodeRoutes, defaultRouteInterfaces } from "./IpOutput.ts"
import { misread, quote } from "./Misread.ts"
import { type Reason, run, type Toolbox } from "./Tool.ts"

/** Where kube-proxy in IPVS mode binds the Services' addresses. */
const ipvsInterface = "kube-ipvs0"

/**
 * kube-proxy's in iptables mode (by iptables-nft), and in nftables mode. By name, since a list of all chains takes 45 MiB where
 * there are 5,000 Services, which an operator does not have. One that is not there costs 8 ms; one that is there costs more than a
 * second beside so many, since nft reads its table all the same.
 */
const chains = [
  ["ip", "kube-proxy", "services"],
  ["ip", "mangle", "KUBE-PROXY-CANARY"],
  ["ip6", "kube-proxy", "services"],
  ["ip6", "mangle", "KUBE-PROXY-CANARY"]
]

/** Also where the table is missing. */
export const isNoSuchChain = (reason: Reason): boolean =>
  reason._tag === "ToolFailed" && /^Error: (Could not process rule: )?No such file or directory/.test(reason.message)

const hasChain = (toolbox: Toolbox, chain: ReadonlyArray<string>) =>
  run(toolbox, toolbox.nft, ["list", "chain", ...chain]).pipe(
    Effect.as(true),
    Effect.catchIf(isNoSuchChain, () => Effect.succeed(false))
  )

const hasKubeProxy = Effect.fnUntraced(function* (toolbox: Toolbox): Effect.fn.Return<boolean, Reason> {
  for (const chain of chains) if (yield* hasChain(toolbox, chain)) return true
  return false
})

const decodeFilters = Schema.decodeUnknownEffect(
  Schema.fromJsonString(Schema.Array(Schema.Struct({ kind: Schema.optionalKey(Schema.String) })))
)

/** Of `ip -j link show`. */
export const linksIn = (text: string) =>
  Effect.map(decodeNodeLinks(text), (links) =>
    links.flatMap(({ ifname, xdp }) => (ifname === undefined ? [] : [{ name: ifname, hasXdp: xdp !== undefined }]))
  )

/** Of `tc -j filter show`, which prints nothing where there is none. */
export const hasBpfFilter = (text: string) =>
  text.trim() === ""
    ? Effect.succeed(false)
    : Effect.map(decodeFilters(text), (filters) => filters.some(({ kind }) => kind === "bpf"))

export const hasLegacyNat = (text: string): boolean => /tables_names:nat$/m.test(text)

/** Listed are the tables of iptables-legacy. The last file always has the line: grep fails when it finds none. */
const legacyArguments = [
  "-sHE",
  "^nat$|^Inter-",
  "/proc/net/ip_tables_names",
  "/proc/net/ip6_tables_names",
  "/proc/net/dev"
]

/** A node whose kube-proxy was found is not expected to lose it. */
const foundNanos = 600_000_000_000n

/** Whether kube-proxy's chains are there, as was found so long ago at most. */
const newKubeProxyWatch = (toolbox: Toolbox): Effect.Effect<boolean, Reason> => {
  let foundAtNanos: bigint | undefined
  return Effect.gen(function* () {
    const nowNanos = yield* Clock.monotonicTimeNanos
    if (foundAtNanos !== undefined && nowNanos - foundAtNanos < foundNanos) return true
    const isFound = yield* hasKubeProxy(toolbox)
    foundAtNanos = isFound ? nowNanos : undefined
    return isFound
  })
}

export const make = (toolbox: Toolbox) => {
  const hasChains = newKubeProxyWatch(toolbox)
  return (uplinks: ReadonlyArray<string>) => read(toolbox, hasChains, uplinks)
}

/** An interface that is not there has no program. */
const read = Effect.fnUntraced(function* (
  toolbox: Toolbox,
  kubeProxyChains: Effect.Effect<boolean, Reason>,
  uplinks: ReadonlyArray<string>
): Effect.fn.Return<PacketPath, Reason> {
  const hasChains = yield* kubeProxyChains
  const legacy = yield* run(toolbox, toolbox.grep, legacyArguments, { isPartialEnough: true })
  const links = yield* linksOf(toolbox)
  const found = links.filter(({ name }) => uplinks.includes(name))
  const programs = yield* Effect.forEach(found, ({ hasXdp, name }) =>
    Effect.map(hasFilter(toolbox, name), (hasTc): ReadonlyArray<PacketProgram> => [
      ...(hasXdp ? [{ interfaceName: name, hook: "xdp" } as const] : []),
      ...(hasTc ? [{ interfaceName: name, hook: "tc" } as const] : [])
    ])
  )
  const isFound = hasChains || links.some(({ name }) => name === ipvsInterface)
  const otherwise = hasLegacyNat(legacy) ? "unknown" : "missing"
  const strictUplinks = yield* strictAmong(
    toolbox,
    found.map(({ name }) => name)
  )
  return { kubeProxy: isFound ? "found" : otherwise, programs: programs.flat(), strictUplinks }
})

const strictAmong = Effect.fnUntraced(function* (toolbox: Toolbox, uplinks: ReadonlyArray<string>) {
  const args = ["-j", "-4", "route", "show", "default"]
  const routes = yield* Effect.flatMap(run(toolbox, toolbox.ip, args), (text) =>
    Effect.catch(decodeRoutes(text), ({ message }) =>
      misread(toolbox, { tool: toolbox.ip, args, found: quote(message), expected: "a JSON list of routes" })
    )
  )
  const files = ["all", ...uplinks].map((name) => `/proc/sys/net/ipv4/conf/${name}/rp_filter`)
  const text = yield* run(toolbox, toolbox.grep, ["-sH", ".", ...files], { isPartialEnough: true })
  const values = decodeConf(text, "rp_filter")
  const rpFilterOf = (uplink: string) => Math.max(values.get("all") ?? 0, values.get(uplink) ?? 0)
  return strictUplinks({ uplinks, defaultRouteInterfaces: defaultRouteInterfaces(routes), rpFilterOf })
})

const linksOf = (toolbox: Toolbox) => {
  const args = ["-j", "link", "show"]
  return Effect.flatMap(run(toolbox, toolbox.ip, args), (text) =>
    Effect.catch(linksIn(text), ({ message }) =>
      misread(toolbox, { tool: toolbox.ip, args, found: quote(message), expected: "a JSON list of interfaces" })
    )
  )
}

/** It may go meanwhile. */
const hasFilter = (toolbox: Toolbox, interfaceName: string) => {
  const args = ["-j", "filter", "show", "dev", interfaceName, "ingress"]
  return run(toolbox, toolbox.tc, args, { interfaceName }).pipe(
    Effect.catchIf(
      ({ _tag }) => _tag === "InterfaceMissing",
      () => Effect.succeed("[]")
    ),
    Effect.flatMap((text) =>
      Effect.catch(hasBpfFilter(text), ({ message }) =>
        misread(toolbox, { tool: toolbox.tc, args, found: quote(message), expected: "a JSON list of filters" })
      )
    )
  )
}
