/**
 * The nodes as candidates and holders: their objects, what their operators say in the NodeLeases, and for how long each
 * lease has not changed. Every replica keeps it, leader or not, so that a new leader need not count from the beginning.
 */
import type { Lease } from "../api/Lease.ts"
import { fenceRequested } from "../api/Names.ts"
import type { Node } from "../api/Node.ts"
import * as NodeLease from "../api/NodeLease.ts"
import * as Candidates from "../domain/Candidates.ts"
import type { Holder } from "../domain/Hold.ts"
import * as HoldId from "../domain/HoldId.ts"
import * as LeaseCount from "../domain/LeaseCount.ts"
import * as Placement from "../domain/Placement.ts"
import type { Change } from "../reconcile/Reflector.ts"
import { CandidateList } from "./CandidateList.ts"
import type { RegisteredNode } from "./Members.ts"

/** How soon to look again at a lease that is due and could not be fenced. */
const OVERDUE_MILLIS = 100
/** A node that was silent for so long votes for nobody any more. */
const ABSENT_MILLIS = 60_000

/** Some 80 kB of a ConfigMap, which holds 1 MiB. */
const MACS_MAX = 4_000
/** As many nodes as may be members. */
const FENCED_MAX = 200

export interface KnownLease {
  readonly lease: Lease
  readonly content: NodeLease.NodeLease
}

/** A takeover for which too few voters have promised so far. */
export interface Awaited {
  readonly holdId: string
  readonly votersCount: number
  readonly promisedCount: number
  readonly neededCount: number
  /** When this was told. */
  readonly sinceMillis: number
}

/** A lease that is due to be renewed, and was not. */
export interface Silence {
  readonly known: KnownLease
  readonly quietMillis: number
}

/** A complete and consistent list of the leases, and when it was asked for. */
export interface Listing {
  readonly items: Iterable<Lease>
  readonly askedMillis: number
}

export class NodeBook {
  /** By node name. */
  readonly leases = new Map<string, KnownLease>()
  /** Names of nodes whose object cannot be read: nothing new for them, and what they hold stays. */
  readonly unreadable = new Set<string>()
  counts: LeaseCount.LeaseCounts
  readonly candidates: CandidateList
  /** By node name: whose takeover waits for promises. Until its lease changes. */
  readonly awaited = new Map<string, Awaited>()
  /** Names of nodes that are due to be fenced, and of whose voters too few have promised when asked. Until their leases change. */
  private readonly unpromised = new Set<string>()
  private readonly nodes = new Map<string, Node>()
  /** When each Node that is not Ready was first seen so. */
  private readonly notReadySince = new Map<string, number>()
  private readonly fenceAfterMillis: number
  /** Since when only a consistent list can bring the counts back. */
  private gapSinceMillis: number | undefined
  /** Facts of all nodes, until something changes or one of them lets its renewal fall due. */
  private known: { readonly facts: ReadonlyMap<string, Placement.NodeFacts>; readonly untilMillis: number } | undefined

  constructor(renewEveryMillis: number, fenceAfterMillis: number, nowMillis: number, policy = Candidates.policy) {
    this.candidates = new CandidateList(policy)
    this.counts = LeaseCount.make(renewEveryMillis, nowMillis)
    this.fenceAfterMillis = fenceAfterMillis
    this.gapSinceMillis = nowMillis
  }

  onNode(name: string, node: Node | undefined, nowMillis: number): void {
    this.known = undefined
    this.unreadable.delete(name)
    if (node === undefined || isReady(node)) this.notReadySince.delete(name)
    else if (!this.notReadySince.has(name)) this.notReadySince.set(name, nowMillis)
    if (node === undefined) this.nodes.delete(name)
    else this.nodes.set(name, node)
  }

  /** The watch lives. What a leader writes into its own lease says nothing of that: it is answered all the same. */
  onHeard(nowMillis: number): void {
    this.noticeGap(nowMillis)
    this.counts = LeaseCount.heard(this.counts, nowMillis)
  }

  /** As it stands in the ConfigMap; true when it changed. */
  onCandidates(names: ReadonlyArray<string> | undefined, nowMillis: number): boolean {
    const changed = this.candidates.set(names, nowMillis)
    if (changed) this.known = undefined
    return changed
  }

  /** The node whose facts changed in a way that may matter to a holder; undefined: a renewal, or no NodeLease. */
  onLease({ after, before }: Change<Lease>, nowMillis: number): string | undefined {
    this.noticeGap(nowMillis)
    const content = after === undefined ? undefined : NodeLease.read(after)
    const old = before === undefined ? undefined : NodeLease.read(before)
    if (after === undefined || content === undefined) {
      if (old === undefined) return undefined
      this.known = undefined
      this.awaited.delete(old.node)
      this.unpromised.delete(old.node)
      this.leases.delete(old.node)
      this.counts = LeaseCount.forget(this.counts, old.node)
      return old.node
    }
    const wasFresh = this.isFresh(content.node, nowMillis)
    this.leases.set(content.node, { lease: after, content })
    this.counts = LeaseCount.observe(this.counts, content.node, after.metadata.resourceVersion ?? "", nowMillis)
    const wasAwaited = this.awaited.delete(content.node)
    const wasUnpromised = this.unpromised.delete(content.node)
    const isSame = old !== undefined && sameForHolders(old, content) && wasFresh && !wasAwaited && !wasUnpromised
    if (!isSame) this.known = undefined
    return isSame ? undefined : content.node
  }

  /** Counts that a gap had suspended may go on, if the list was asked for after the gap was there. */
  onLeasesListed({ askedMillis, items }: Listing, nowMillis: number): void {
    this.noticeGap(nowMillis)
    if (this.gapSinceMillis !== undefined && askedMillis < this.gapSinceMillis) return
    const versions = new Map<string, string>()
    const candidates = new Set<string>()
    for (const lease of items) {
      const content = NodeLease.read(lease)
      if (content === undefined) continue
      versions.set(content.node, lease.metadata.resourceVersion ?? "")
      if (this.renewsFast(content)) candidates.add(content.node)
    }
    this.counts = LeaseCount.resume(this.counts, { versions, candidates }, nowMillis)
    this.gapSinceMillis = undefined
    this.known = undefined
  }

  /** Answers whether that is news. */
  setUnpromised(node: string, isUnpromised: boolean): boolean {
    if (this.unpromised.has(node) === isUnpromised) return false
    if (isUnpromised) this.unpromised.add(node)
    else this.unpromised.delete(node)
    this.known = undefined
    return true
  }

  needsList(nowMillis: number): boolean {
    return LeaseCount.needsList(this.counts, nowMillis)
  }

  /** To be called before whatever ends a silence. */
  private noticeGap(nowMillis: number): void {
    if (this.gapSinceMillis !== undefined || !LeaseCount.needsList(this.counts, nowMillis)) return
    this.gapSinceMillis = this.counts.lastEventMillis + 2 * this.counts.periodMillis
  }

  /** Whether nothing is to be awaited from this holder any more. A node without lease was never fenced. */
  isFenced(holder: Holder): boolean {
    const known = this.leases.get(holder.node)
    const named = HoldId.parse(holder.holdId)
    if (known === undefined || named._tag === "Failure") return false
    const { content } = known
    if (content.released === content.holdId && named.success === content.holdId) return true
    const observed = { holdId: content.holdId, fenced: content.fenced === content.holdId }
    return HoldId.standing(named.success, observed) === "Fenced"
  }

  /** Under which a new allocation may name the node. */
  holdIdOf(node: string): string | undefined {
    const content = this.leases.get(node)?.content
    const gone = content === undefined || content.fenced === content.holdId || content.released === content.holdId
    return gone ? undefined : content.holdId
  }

  /** Why the holder is neither the node's present one nor known to be fenced; undefined: it is one of these. */
  unrecognised(holder: Holder): string | undefined {
    const content = this.leases.get(holder.node)?.content
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
      const remaining = [...this.leases.values()]
        .filter(({ content }) => this.isFresh(content.node, nowMillis))
        .map(({ content }) => content.durationMillis - (LeaseCount.quietFor(this.counts, content.node, nowMillis) ?? 0))
      this.known = { facts, untilMillis: nowMillis + Math.max(1, Math.min(...remaining, this.fenceAfterMillis)) }
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

  /** Within own L it would be seen to be silent. */
  renewsFast({ durationMillis }: NodeLease.NodeLease): boolean {
    return durationMillis <= this.fenceAfterMillis
  }

  /** Its lease changed within the time that it announces. */
  private isFresh(name: string, nowMillis: number): boolean {
    const content = this.leases.get(name)?.content
    const quiet = LeaseCount.quietFor(this.counts, name, nowMillis)
    return content !== undefined && quiet !== undefined && quiet < content.durationMillis
  }

  private leaseFacts(name: string, nowMillis: number): Placement.LeaseFacts | undefined {
    const known = this.leases.get(name)
    if (known === undefined) return undefined
    const { content } = known
    return {
      renewed: this.isFresh(name, nowMillis),
      overdue: this.unpromised.has(name),
      fenced: this.holdIdOf(name) === undefined,
      candidate: this.renewsFast(content) && this.candidates.has(name),
      interfaces: new Map(
        Object.entries(content.interfaces).map(([each, problem]) => [each, problem === "" ? {} : { problem }])
      )
    }
  }

  /** Nodes whose lease has not changed for long enough to be fenced. */
  dueForFence(nowMillis: number): ReadonlyArray<KnownLease> {
    return [...this.leases.values()].filter((known) => this.isDueForFence(known, nowMillis))
  }

  /** Of the present version of its lease alone. */
  isDueForFence(known: KnownLease, nowMillis: number): boolean {
    const { content } = known
    return (
      this.leases.get(content.node) === known &&
      this.holdIdOf(content.node) !== undefined &&
      LeaseCount.isDue(this.counts, content.node, this.limitsOf(content), nowMillis)
    )
  }

  /**
   * Leases of holders that have not changed for two periods, or as long in proportion to what they announce: nothing may be
   * concluded from that yet.
   */
  silences(nowMillis: number): ReadonlyArray<Silence> {
    if (this.needsList(nowMillis)) return []
    return [...this.leases.values()].flatMap((known) => {
      const { durationMillis, node } = known.content
      const quietMillis = LeaseCount.quietFor(this.counts, node, nowMillis) ?? 0
      const share = Math.max(1, durationMillis / this.fenceAfterMillis)
      const isSilent = quietMillis >= 2 * this.counts.periodMillis * share
      return isSilent && this.holdIdOf(node) !== undefined ? [{ known, quietMillis }] : []
    })
  }

  leaseAges(nowMillis: number): ReadonlyArray<{ readonly node: string; readonly ageMillis: number }> {
    return [...this.leases.keys()].map((node) => ({
      node,
      ageMillis: LeaseCount.quietFor(this.counts, node, nowMillis) ?? 0
    }))
  }

  /**
   * Milliseconds until the next lease could become due; at least 10, so that nobody spins on a suspended count. The lease
   * of a node that was fenced stays silent for as long as the node is dead, and nobody waits for it.
   */
  millisUntilDue(nowMillis: number): number {
    let millis = this.counts.periodMillis
    for (const { content } of this.leases.values()) {
      if (this.holdIdOf(content.node) === undefined) continue
      const { announcedMillis, ownMillis } = this.limitsOf(content)
      const quietMillis = LeaseCount.quietFor(this.counts, content.node, nowMillis) ?? 0
      const leftMillis = Math.max(ownMillis, announcedMillis) - quietMillis
      // One that is due waits for promises, or for who leads.
      millis = Math.min(millis, leftMillis > 0 ? leftMillis : OVERDUE_MILLIS)
    }
    return Math.max(10, millis)
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
    const content = this.leases.get(name)?.content
    if (node === undefined || content === undefined || this.holdIdOf(name) === undefined) return undefined
    const limits = { ...this.limitsOf(content), ownMillis: ABSENT_MILLIS }
    const isAbsent = LeaseCount.isDue(this.counts, name, limits, nowMillis)
    return { node, content, isAbsent, isSilent: !this.isFresh(name, nowMillis) }
  }

  registered(nowMillis: number): ReadonlyArray<RegisteredNode> {
    return [...this.leases.keys()].flatMap((name) => this.registeredNode(name, nowMillis) ?? [])
  }

  /** Of all nodes, also of those that were fenced: who does not know it yet may still answer. */
  macs(): ReadonlyArray<string> {
    const all = [...this.leases.values()].flatMap(({ content }) => content.macs)
    return [...new Set(all)].toSorted().slice(0, MACS_MAX)
  }

  /** Of nodes that have not registered since. */
  fencedHoldIds(): ReadonlyArray<string> {
    const fenced = [...this.leases.values()].filter(({ content }) => content.fenced === content.holdId)
    return fenced
      .map(({ content }) => content.holdId)
      .toSorted()
      .slice(0, FENCED_MAX)
  }

  restartCount(node: string, nowMillis: number): void {
    const version = this.leases.get(node)?.lease.metadata.resourceVersion
    if (version !== undefined) this.counts = LeaseCount.restart(this.counts, node, version, nowMillis)
  }

  private limitsOf(content: NodeLease.NodeLease): LeaseCount.Limits {
    return { ownMillis: this.fenceAfterMillis, announcedMillis: content.durationMillis }
  }
}

const isReady = ({ status }: Node): boolean =>
  status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true

const sameForHolders = (a: NodeLease.NodeLease, b: NodeLease.NodeLease): boolean =>
  a.holdId === b.holdId &&
  a.fenced === b.fenced &&
  a.released === b.released &&
  a.durationMillis === b.durationMillis &&
  a.witnessPort === b.witnessPort &&
  a.macs.join() === b.macs.join() &&
  JSON.stringify(a.interfaces) === JSON.stringify(b.interfaces)
