/**
 * The nodes as candidates and holders: their objects, and what their operators say in the NodeLeases (`LeaseBook`). Every
 * replica keeps it, leader or not, so that a new leader need not count from the beginning.
 */
import type { Lease } from "../api/Lease.ts"
import { fenceRequested } from "../api/Names.ts"
import type { Node } from "../api/Node.ts"
import * as Candidates from "../domain/Candidates.ts"
import type { Holder } from "../domain/Hold.ts"
import * as HoldId from "../domain/HoldId.ts"
import * as Placement from "../domain/Placement.ts"
import type { Change } from "../reconcile/Reflector.ts"
import { CandidateList } from "./CandidateList.ts"
import { type KnownLease, LeaseBook, type Listing } from "./LeaseBook.ts"
import type { RegisteredNode } from "./Members.ts"

/** A node that was silent for so long votes for nobody any more. */
const ABSENT_MILLIS = 60_000

/** Some 80 kB of a ConfigMap, which holds 1 MiB. */
const MACS_MAX = 4_000
/** As many nodes as may be members. */
const FENCED_MAX = 200

/** A takeover for which too few voters have promised so far. */
export interface Awaited {
  readonly holdId: string
  readonly votersCount: number
  readonly promisedCount: number
  readonly neededCount: number
  /** When this was told. */
  readonly sinceMillis: number
}

export class NodeBook {
  readonly leases: LeaseBook
  /** Names of nodes whose object cannot be read: nothing new for them, and what they hold stays. */
  readonly unreadable = new Set<string>()
  readonly candidates: CandidateList
  /** By node name: whose takeover waits for promises. Until its lease changes. */
  readonly awaited = new Map<string, Awaited>()
  /** Names of nodes that are due to be fenced, and of whose voters too few have promised when asked. Until their leases change. */
  private readonly unpromised = new Set<string>()
  private readonly nodes = new Map<string, Node>()
  /** When each Node that is not Ready was first seen so. */
  private readonly notReadySince = new Map<string, number>()
  /** Facts of all nodes, until something changes or one of them lets its renewal fall due. */
  private known: { readonly facts: ReadonlyMap<string, Placement.NodeFacts>; readonly untilMillis: number } | undefined

  constructor(renewEveryMillis: number, fenceAfterMillis: number, nowMillis: number, policy = Candidates.policy) {
    this.candidates = new CandidateList(policy)
    this.leases = new LeaseBook(renewEveryMillis, fenceAfterMillis, nowMillis)
  }

  onNode(name: string, node: Node | undefined, nowMillis: number): void {
    this.known = undefined
    this.unreadable.delete(name)
    if (node === undefined || isReady(node)) this.notReadySince.delete(name)
    else if (!this.notReadySince.has(name)) this.notReadySince.set(name, nowMillis)
    if (node === undefined) this.nodes.delete(name)
    else this.nodes.set(name, node)
  }

  /** As it stands in the ConfigMap; true when it changed. */
  onCandidates(names: ReadonlyArray<string> | undefined, nowMillis: number): boolean {
    const changed = this.candidates.set(names, nowMillis)
    if (changed) this.known = undefined
    return changed
  }

  /** The node whose facts changed in a way that may matter to a holder; undefined: a renewal, or no NodeLease. */
  onLease(change: Change<Lease>, nowMillis: number): string | undefined {
    const told = this.leases.onLease(change, nowMillis)
    if (told === undefined) return undefined
    const wasAwaited = this.awaited.delete(told.node)
    const wasUnpromised = this.unpromised.delete(told.node)
    if (told.isRenewal && !wasAwaited && !wasUnpromised) return undefined
    this.known = undefined
    return told.node
  }

  onLeasesListed(listing: Listing, nowMillis: number): void {
    if (this.leases.onListed(listing, nowMillis)) this.known = undefined
  }

  /** Answers whether that is news. */
  setUnpromised(node: string, isUnpromised: boolean): boolean {
    if (this.unpromised.has(node) === isUnpromised) return false
    if (isUnpromised) this.unpromised.add(node)
    else this.unpromised.delete(node)
    this.known = undefined
    return true
  }

  /** Whether nothing is to be awaited from this holder any more. A node without lease was never fenced. */
  isFenced(holder: Holder): boolean {
    const known = this.leases.byNode.get(holder.node)
    const named = HoldId.parse(holder.holdId)
    if (known === undefined || named._tag === "Failure") return false
    const { content } = known
    if (content.released === content.holdId && named.success === content.holdId) return true
    const observed = { holdId: content.holdId, fenced: content.fenced === content.holdId }
    return HoldId.standing(named.success, observed) === "Fenced"
  }

  /** Why the holder is neither the node's present one nor known to be fenced; undefined: it is one of these. */
  unrecognised(holder: Holder): string | undefined {
    const content = this.leases.byNode.get(holder.node)?.content
    const named = HoldId.parse(holder.holdId)
    if (content === undefined || named._tag === "Failure") return undefined
    const standing = HoldId.standing(named.success, { holdId: content.holdId, fenced: false })
    if (standing !== "Ahead" && standing !== "Foreign") return undefined
    return (
      `it is held under ${holder.holdId}, and the NodeLease of ${holder.node} says ${content.holdId}. Nothing is moved ` +
      "while it is not certain that the former is gone. If it stays so, restart the operator on that node."
    )
  }

  facts(nowMillis: number): ReadonlyMap<string, Placement.NodeFacts> {
    if (this.known === undefined || nowMillis >= this.known.untilMillis) {
      const facts = new Map([...this.nodes].map(([name, node]) => [name, this.factsOf(node, nowMillis)]))
      this.known = { facts, untilMillis: nowMillis + Math.max(1, this.leases.millisUntilStale(nowMillis)) }
    }
    return this.known.facts
  }

  private factsOf(node: Node, nowMillis: number): Placement.NodeFacts {
    const { metadata, spec, status } = node
    return {
      name: metadata.name,
      labels: metadata.labels ?? {},
      taints: spec?.taints ?? [],
      conditions: status?.conditions ?? [],
      notReadySinceMillis: this.notReadySince.get(metadata.name),
      unschedulable: spec?.unschedulable ?? false,
      deleting: metadata.deletionTimestamp !== undefined,
      lease: this.leaseFacts(metadata.name, nowMillis)
    }
  }

  /** Milliseconds until the next Node will have been NotReady for so long; undefined: none is on its way to it. */
  millisUntilLost(graceMillis: number, nowMillis: number): number | undefined {
    const left = [...this.notReadySince.values()].map((since) => since + graceMillis - nowMillis)
    const due = left.filter((millis) => millis > 0)
    return due.length === 0 ? undefined : Math.min(...due)
  }

  private leaseFacts(name: string, nowMillis: number): Placement.LeaseFacts | undefined {
    const known = this.leases.byNode.get(name)
    if (known === undefined) return undefined
    const { content } = known
    return {
      renewed: this.leases.isFresh(name, nowMillis),
      overdue: this.unpromised.has(name),
      fenced: this.leases.holdIdOf(name) === undefined,
      candidate: this.leases.renewsFast(content) && this.candidates.has(name),
      interfaces: new Map(
        Object.entries(content.interfaces).map(([each, problem]) => [each, problem === "" ? {} : { problem }])
      )
    }
  }

  /** A person, or another program, says that the machine is off: nobody need promise anything. */
  isGivenUp({ content, lease }: KnownLease): boolean {
    const node = this.nodes.get(content.node)
    if (node === undefined) return false
    // Of another version it would be about a node that has renewed since.
    const isRequested = node.metadata.annotations?.[fenceRequested] === lease.metadata.resourceVersion
    return isRequested || Placement.isOutOfService(node.spec?.taints ?? [])
  }

  /** A node that holds under an id in force, and whether it is silent. */
  registeredNode(name: string, nowMillis: number): RegisteredNode | undefined {
    const node = this.nodes.get(name)
    const content = this.leases.byNode.get(name)?.content
    if (node === undefined || content === undefined || this.leases.holdIdOf(name) === undefined) return undefined
    const isAbsent = this.leases.isQuietFor(ABSENT_MILLIS, content, nowMillis)
    return { node, content, isAbsent, isSilent: !this.leases.isFresh(name, nowMillis) }
  }

  registered(nowMillis: number): ReadonlyArray<RegisteredNode> {
    return [...this.leases.byNode.keys()].flatMap((name) => this.registeredNode(name, nowMillis) ?? [])
  }

  /** Without those of Nodes that are gone and hold nothing any more: nobody takes back what they said last. */
  currentLeases(): ReadonlyArray<KnownLease> {
    return [...this.leases.byNode.values()].filter(
      ({ content: { node } }) => this.isNode(node) || this.leases.holdIdOf(node) !== undefined
    )
  }

  private isNode(name: string): boolean {
    return this.nodes.has(name) || this.unreadable.has(name)
  }

  /** Of all nodes, also of those that were fenced: who does not know it yet may still answer. */
  macs(): ReadonlyArray<string> {
    const all = this.presentFirst().flatMap(({ content }) => content.macs)
    return [...new Set(all)].slice(0, MACS_MAX).toSorted()
  }

  /** Of nodes that have not registered since. */
  fencedHoldIds(): ReadonlyArray<string> {
    return this.presentFirst()
      .filter(({ content }) => content.fenced === content.holdId)
      .slice(0, FENCED_MAX)
      .map(({ content }) => content.holdId)
      .toSorted()
  }

  /** NodeLeases outlive their Nodes: those of machines that are long gone must not take the room of who may still answer. */
  private presentFirst(): ReadonlyArray<KnownLease> {
    const rankOf = ({ content: { node } }: KnownLease) => `${this.isNode(node) ? 0 : 1} ${node}`
    return [...this.leases.byNode.values()].toSorted((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1))
  }
}

const isReady = ({ status }: Node): boolean =>
  status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true
