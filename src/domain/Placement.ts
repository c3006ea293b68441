/**
 * Which node holds an address. Two questions with different answers: may a node get a new one, and must a holder hand
 * over. A cordon and NotReady bar new addresses only, because neither is death while the NodeLease is renewed; and a
 * lease that is not renewed makes no holder hand over: that is the takeover's, which counts and fences. But what a pool keeps
 * on a node without a lease, since a provider's route alone decides who serves it, waits for no fence.
 */
import { Order } from "effect"
import { hash32, mixed } from "./Hash32.ts"
import * as LabelSelector from "./LabelSelector.ts"

export interface LeaseFacts {
  /** Its version changed within the time it announces, as this controller counts. */
  readonly renewed: boolean
  /** It was silent for L, so that it would be fenced, and too few of its voters have promised; absent: no. */
  readonly overdue?: boolean | undefined
  /** Its hold id is fenced, and the agent has not registered anew. */
  readonly fenced: boolean
  /** It is one of those that may, and announces a duration that is no longer than our own L (Candidates). */
  readonly candidate: boolean
  /** By name, what the agent reports of the interfaces that pools ask for: `undefined` when it can be used. */
  readonly interfaces: ReadonlyMap<string, InterfaceFacts>
}

export interface InterfaceFacts {
  /** Why the agent refuses to hold there, as a sentence: a mode that cannot work, a tool that fails. */
  readonly problem?: string | undefined
}

export interface NodeFacts {
  readonly name: string
  readonly labels: LabelSelector.Labels
  readonly taints: ReadonlyArray<{ readonly key: string; readonly effect: string }>
  readonly conditions: ReadonlyArray<{ readonly type: string; readonly status: string }>
  /** Monotonic time at which it was first seen without Ready; undefined: it is Ready. */
  readonly notReadySinceMillis: number | undefined
  readonly unschedulable: boolean
  readonly deleting: boolean
  /** Absent: its operator never registered. */
  readonly lease: LeaseFacts | undefined
}

/** What the address demands of a node. */
export interface Demands {
  readonly nodeSelector?: LabelSelector.LabelSelector | undefined
  /** Absent: the pool adds no addresses to nodes, and any node may be named. */
  readonly interfaceName?: string | undefined
  readonly drainOnCordon: boolean
  /** A node may serve it without a lease, beside another that holds it; absent: no. */
  readonly isKept?: boolean | undefined
  /** The chart's `ignoreExcludeLabel`. */
  readonly ignoreExcludeLabel: boolean
  /** externalTrafficPolicy Local: the nodes with a ready endpoint. Absent or empty: no node is better than another. */
  readonly endpointNodes?: ReadonlySet<string> | undefined
}

/** Stable words, for conditions and `explain`. */
export type NodeReason =
  | "Excluded"
  | "NetworkUnavailable"
  | "OutOfService"
  | "ShuttingDown"
  | "Deleting"
  | "NotSelected"
  | "InterfaceMissing"
  | "InterfaceUnusable"
  | "NoReadyEndpoint"
  | "Cordoned"
  | "NotReady"
  | "OperatorNotRegistered"
  | "LeaseNotRenewed"
  | "Fenced"
  | "NotRenewingFast"

const excludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers"
const outOfServiceTaint = "node.kubernetes.io/out-of-service"
const shutdownTaint = "node.cloudprovider.kubernetes.io/shutdown"

/** Why this node gets no new address; empty: it is a candidate. */
export const candidacy = (node: NodeFacts, demands: Demands): ReadonlyArray<NodeReason> => [
  ...lasting(node, demands),
  ...when(node.unschedulable && !demands.drainOnCordon, "Cordoned"),
  ...when(!isTrue(node, "Ready"), "NotReady"),
  ...(demands.interfaceName === undefined ? [] : leaseReasons(node.lease))
]

/** Nothing speaks against it but that it is no candidate yet, and it can be asked to become one. */
export const couldBeCandidate = (node: NodeFacts, demands: Demands): boolean =>
  candidacy(node, demands).every((reason) => reason === "NotRenewingFast")

/**
 * Why a holder hands over gracefully; empty: it stays. The caller moves only when another node is a candidate: a node
 * that should not hold is better than none.
 */
export const mustHandOver = (node: NodeFacts, demands: Demands): ReadonlyArray<NodeReason> => [
  ...lasting(node, demands),
  ...when(demands.isKept === true && node.lease?.overdue === true, "LeaseNotRenewed")
]

/** What speaks against a node as a candidate and as a holder alike. */
const lasting = (node: NodeFacts, demands: Demands): ReadonlyArray<NodeReason> => {
  const reasons: Array<NodeReason> = []
  if (!demands.ignoreExcludeLabel && Object.hasOwn(node.labels, excludeLabel)) reasons.push("Excluded")
  if (isTrue(node, "NetworkUnavailable")) reasons.push("NetworkUnavailable")
  if (isOutOfService(node.taints)) reasons.push("OutOfService")
  if (isTainted(node, shutdownTaint)) reasons.push("ShuttingDown")
  if (node.deleting) reasons.push("Deleting")
  if (!LabelSelector.matches(demands.nodeSelector, node.labels)) reasons.push("NotSelected")
  if (demands.drainOnCordon && node.unschedulable) reasons.push("Cordoned")
  reasons.push(...interfaceReasons(node.lease, demands.interfaceName))
  if (lacksEndpoint(node, demands.endpointNodes)) reasons.push("NoReadyEndpoint")
  return reasons
}

const when = (holds: boolean, reason: NodeReason): ReadonlyArray<NodeReason> => (holds ? [reason] : [])

const isTrue = (node: NodeFacts, type: string): boolean =>
  node.conditions.some((condition) => condition.type === type && condition.status === "True")

/** Somebody says that the machine is off and stays so until the taint goes: the only word there is for a node without lease. */
export const isOutOfService = (taints: NodeFacts["taints"]): boolean =>
  taints.some(({ key }) => key === outOfServiceTaint)

const isTainted = (node: NodeFacts, key: string): boolean => node.taints.some((taint) => taint.key === key)

const lacksEndpoint = (node: NodeFacts, nodes: ReadonlySet<string> | undefined): boolean =>
  nodes !== undefined && nodes.size > 0 && !nodes.has(node.name)

const interfaceReasons = (lease: LeaseFacts | undefined, name: string | undefined): ReadonlyArray<NodeReason> => {
  if (lease === undefined || name === undefined) return []
  const found = lease.interfaces.get(name)
  if (found === undefined) return ["InterfaceMissing"]
  return when(found.problem !== undefined, "InterfaceUnusable")
}

const leaseReasons = (lease: LeaseFacts | undefined): ReadonlyArray<NodeReason> => {
  if (lease === undefined) return ["OperatorNotRegistered"]
  return [
    ...when(lease.fenced, "Fenced"),
    ...when(!lease.renewed, "LeaseNotRenewed"),
    ...when(!lease.candidate, "NotRenewingFast")
  ]
}

export interface Candidate {
  readonly name: string
  /** Of the label `topology.kubernetes.io/zone`; nodes without one are a zone of their own together. */
  readonly zone: string
  /** How many it holds or is about to hold. */
  readonly addresses: number
}

export const zoneOf = (node: NodeFacts): string => node.labels["topology.kubernetes.io/zone"] ?? ""

export interface Choice {
  /** What ties are drawn by: the same for the same address, whoever asks; UID of the allocation and the address. */
  readonly key: string
  readonly candidates: ReadonlyArray<Candidate>
  /** Stays if it is a candidate: a node that returns takes nothing back. */
  readonly holder?: string | undefined
  /** A wish. */
  readonly preferred?: string | undefined
}

/** Fewest addresses, then the zone with the fewest, then rendezvous hash; nothing when there is no candidate. */
export const choose = ({ key, candidates, holder, preferred }: Choice): string | undefined => {
  const named = [holder, preferred].find((name) => candidates.some((candidate) => candidate.name === name))
  if (named !== undefined) return named
  const inZone = new Map<string, number>()
  for (const { zone, addresses } of candidates) inZone.set(zone, (inZone.get(zone) ?? 0) + addresses)
  const idlest = lowest(candidates, ({ addresses }) => addresses)
  const inIdlestZone = lowest(idlest, ({ zone }) => inZone.get(zone) ?? 0)
  return firstDrawn(key, inIdlestZone)
}

/** So many are named where none is a candidate: whichever is there first. */
const CALLS_MAX = 8

export interface Calling {
  /** The same for all who would call the same nodes. */
  readonly key: string
  readonly candidates: ReadonlyArray<NodeFacts>
  /** Nodes that could hold the address once they are candidates. */
  readonly others: ReadonlyArray<NodeFacts>
  /** A wish. */
  readonly preferred?: string | undefined
}

/** Who must become a candidate before this address is placed: whoever is wished for, or anybody where nobody is one. */
export const callsOf = ({ candidates, key, others, preferred }: Calling): ReadonlyArray<string> => {
  const names = others.map(({ name }) => name)
  if (preferred !== undefined && names.includes(preferred)) return [preferred]
  if (candidates.length > 0) return []
  const basis = hash32(key)
  const draws = new Map(names.map((name) => [name, mixed(hash32(name, basis))]))
  return names.toSorted((a, b) => (draws.get(a) ?? 0) - (draws.get(b) ?? 0) || Order.String(a, b)).slice(0, CALLS_MAX)
}

/** Those with the lowest rank. */
const lowest = <A>(items: ReadonlyArray<A>, rankOf: (item: A) => number): ReadonlyArray<A> => {
  const ranks = items.map(rankOf)
  const least = ranks.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  return items.filter((_, index) => ranks[index] === least)
}

/**
 * Rendezvous hash (Thaler, Ravishankar 1996), lowest wins: a node that goes moves only what it was first for. A cheap one,
 * without a sort: with a thousand nodes alike, SHA-256 took a millisecond for each address.
 */
const firstDrawn = (key: string, candidates: ReadonlyArray<Candidate>): string | undefined => {
  const basis = hash32(key)
  let first: { readonly name: string; readonly draw: number } | undefined
  for (const { name } of candidates) {
    const draw = mixed(hash32(name, basis))
    if (first === undefined || draw < first.draw || (draw === first.draw && name < first.name)) first = { name, draw }
  }
  return first?.name
}

export interface NoNode {
  readonly reason: "NoNode" | "AllNodesExcluded" | "NoCandidateNode"
  readonly message: string
}

/** Why no node can hold addresses of this pool, with the count of each reason and the cure of the commonest. */
export const explainNone = (pool: string, nodes: ReadonlyArray<NodeFacts>, demands: Demands): NoNode => {
  if (nodes.length === 0) return { reason: "NoNode", message: `Pool ${pool}: the cluster has no node. Add one.` }
  const counts = new Map<NodeReason, number>()
  for (const node of nodes) {
    for (const reason of candidacy(node, demands)) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  const ranked = [...counts].toSorted(([a, m], [b, n]) => n - m || Order.String(a, b))
  const [commonest] = ranked
  const told = ranked.map(([reason, count]) => `${count} ${reason}`).join(", ")
  const cure = commonest === undefined ? "Ask again." : cures[commonest[0]](demands, nodes)
  return {
    reason: counts.get("Excluded") === nodes.length ? "AllNodesExcluded" : "NoCandidateNode",
    message: `Pool ${pool}: none of ${nodes.length} nodes can get an address (${told}). ${cure}`
  }
}

const firstProblem = (nodes: ReadonlyArray<NodeFacts>, interfaceName: string): string | undefined => {
  const node = nodes.find(({ lease }) => lease?.interfaces.get(interfaceName)?.problem !== undefined)
  return node === undefined ? undefined : `${node.name}: ${node.lease?.interfaces.get(interfaceName)?.problem ?? ""}`
}

type Cure = (demands: Demands, nodes: ReadonlyArray<NodeFacts>) => string

const cures: { readonly [R in NodeReason]: Cure } = {
  Excluded: () =>
    `Remove the label ${excludeLabel} from a node (kubeadm and Talos put it on every control-plane node), or set ` +
    "ignoreExcludeLabel to true in the chart.",
  NetworkUnavailable: () => "Their condition NetworkUnavailable is True: look at the cluster's network plugin.",
  OutOfService: () => `Remove the taint ${outOfServiceTaint} once the machines work again.`,
  ShuttingDown: () => "Start the machines: the cloud provider reports them as shut down.",
  Deleting: () => "Wait until they are gone, and add a node.",
  NotSelected: ({ nodeSelector }) =>
    `Label a node with ${LabelSelector.format(nodeSelector ?? {})}, or change spec.nodeSelector of the pool.`,
  InterfaceMissing: ({ interfaceName }) =>
    `Create the interface ${interfaceName ?? ""} on a node, or correct ` +
    "spec.options.hostNetworkInterface.interfaceName of the pool.",
  InterfaceUnusable: ({ interfaceName = "" }, nodes) =>
    `Make the interface ${interfaceName} usable (${firstProblem(nodes, interfaceName) ?? "see the operator's log"}).`,
  NoReadyEndpoint: () => "With externalTrafficPolicy Local a node needs a ready pod of the Service: run one there.",
  Cordoned: () => "Uncordon one (kubectl uncordon).",
  NotReady: () => "Wait until one is Ready, or look at its kubelet.",
  OperatorNotRegistered: () =>
    "Look at the pods of the DaemonSet plenuslb-operator: none has registered a NodeLease on these nodes.",
  LeaseNotRenewed: () => "Look at the pods of the DaemonSet plenuslb-operator: they do not renew their NodeLease.",
  Fenced: () => "Look at the pods of the DaemonSet plenuslb-operator: they were fenced and did not register anew.",
  NotRenewingFast: () => "Wait some seconds: the nodes are being asked to renew faster."
}
