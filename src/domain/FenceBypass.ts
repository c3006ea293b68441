/**
 * Whether the kernel's lease stands where a node's packets go. It is kept by netfilter: whatever hands packets to Pods before
 * netfilter sees them, as replacements of kube-proxy in eBPF do, serves an address also when the lease has run out. Pure.
 */

/** An eBPF program that sees packets as they come in by this interface. */
export interface PacketProgram {
  readonly interfaceName: string
  readonly hook: "xdp" | "tc"
}

export interface PacketPath {
  /** Whether netfilter has chains of kube-proxy. Unknown: they may be in tables of iptables-legacy, which nft does not show. */
  readonly kubeProxy: "found" | "missing" | "unknown"
  readonly programs: ReadonlyArray<PacketProgram>
  /** Uplinks that may drop clients (ReversePath). */
  readonly strictUplinks: ReadonlyArray<string>
}

const hooks = { xdp: "XDP", tc: "tc" } as const

const withoutKubeProxy =
  "netfilter has nothing of kube-proxy (neither a chain KUBE-PROXY-CANARY nor a table kube-proxy)"

/**
 * What was found, as the middle of a sentence; undefined: nothing. Programs beside kube-proxy are usual (network plugins count
 * and mark packets) and say nothing. Without kube-proxy none need be seen: those attached by tcx, Linux 6.6 and newer, are not.
 */
export const bypassOf = ({ kubeProxy, programs }: Omit<PacketPath, "strictUplinks">): string | undefined => {
  if (kubeProxy !== "missing") return undefined
  const seen = programs.map(({ hook, interfaceName }) => `${hooks[hook]} on ${interfaceName}`)
  return seen.length === 0
    ? `${withoutKubeProxy}, so something else serves Services, and may do so before netfilter`
    : `${withoutKubeProxy}, and eBPF programs take packets before it: ${[...new Set(seen)].toSorted().join(", ")}`
}
