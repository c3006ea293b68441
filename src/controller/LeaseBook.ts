/**
 * The NodeLeases, and for how long each has not changed. The counts of all are suspended by a gap in the watch, until a
 * consistent list that was asked for after it (domain/LeaseCount).
 */
import type { Lease } from "../api/Lease.ts"
import * as NodeLease from "../api/NodeLease.ts"
import * as LeaseCount from "../domain/LeaseCount.ts"
import type { Change } from "../reconcile/Reflector.ts"

/** How soon to look again at a lease that is due and could not be fenced. */
const OVERDUE_MILLIS = 100

export interface KnownLease {
  readonly lease: Lease
  readonly content: NodeLease.NodeLease
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

/** What a change of a NodeLease says of its node. */
interface Told {
  readonly node: string
  /** In time, and nothing that may matter to a holder is different. */
  readonly isRenewal: boolean
}

export class LeaseBook {
  /** By node name. */
  readonly byNode = new Map<string, KnownLease>()
  counts: LeaseCount.LeaseCounts
  private readonly fenceAfterMillis: number
  /** Since when only a consistent list can bring the counts back. */
  private gapSinceMillis: number | undefined

  constructor(renewEveryMillis: number, fenceAfterMillis: number, nowMillis: number) {
    this.counts = LeaseCount.make(renewEveryMillis, nowMillis)
    this.fenceAfterMillis = fenceAfterMillis
    this.gapSinceMillis = nowMillis
  }

  /** The watch lives. What a leader writes into its own lease says nothing of that: it is answered all the same. */
  onHeard(nowMillis: number): void {
    this.noticeGap(nowMillis)
    this.counts = LeaseCount.heard(this.counts, nowMillis)
  }

  /** Undefined: it is no NodeLease. */
  onLease({ after, before }: Change<Lease>, nowMillis: number): Told | undefined {
    this.noticeGap(nowMillis)
    const content = after === undefined ? undefined : NodeLease.read(after)
    const old = before === undefined ? undefined : NodeLease.read(before)
    if (after === undefined || content === undefined) {
      if (old === undefined) return undefined
      this.byNode.delete(old.node)
      this.counts = LeaseCount.forget(this.counts, old.node)
      return { node: old.node, isRenewal: false }
    }
    const { node } = content
    const wasFresh = this.isFresh(node, nowMillis)
    this.byNode.set(node, { lease: after, content })
    this.counts = LeaseCount.observe(this.counts, node, after.metadata.resourceVersion ?? "", nowMillis)
    return { node, isRenewal: old !== undefined && sameForHolders(old, content) && wasFresh }
  }

  /** Counts that a gap had suspended may go on, if the list was asked for after the gap was there: answers whether. */
  onListed({ askedMillis, items }: Listing, nowMillis: number): boolean {
    this.noticeGap(nowMillis)
    if (this.gapSinceMillis !== undefined && askedMillis < this.gapSinceMillis) return false
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

  /** Under which a new allocation may name the node. */
  holdIdOf(node: string): string | undefined {
    const content = this.byNode.get(node)?.content
    const gone = content === undefined || content.fenced === content.holdId || content.released === content.holdId
    return gone ? undefined : content.holdId
  }

  /** Within own L it would be seen to be silent. */
  renewsFast({ durationMillis }: NodeLease.NodeLease): boolean {
    return durationMillis <= this.fenceAfterMillis
  }

  /** Its lease changed within the time that it announces. */
  isFresh(name: string, nowMillis: number): boolean {
    const content = this.byNode.get(name)?.content
    const quiet = LeaseCount.quietFor(this.counts, name, nowMillis)
    return content !== undefined && quiet !== undefined && quiet < content.durationMillis
  }

  /** Milliseconds until the first of those that are fresh will be so no more, unless it is renewed; own L at most. */
  millisUntilStale(nowMillis: number): number {
    const remaining = [...this.byNode.values()]
      .filter(({ content }) => this.isFresh(content.node, nowMillis))
      .map(({ content }) => content.durationMillis - (LeaseCount.quietFor(this.counts, content.node, nowMillis) ?? 0))
    return Math.min(...remaining, this.fenceAfterMillis)
  }

  /** Whether it has not changed for so long, and for as long as it announces. */
  isQuietFor(millis: number, content: NodeLease.NodeLease, nowMillis: number): boolean {
    const limits = { ...this.limitsOf(content), ownMillis: millis }
    return LeaseCount.isDue(this.counts, content.node, limits, nowMillis)
  }

  /** Nodes whose lease has not changed for long enough to be fenced. */
  dueForFence(nowMillis: number): ReadonlyArray<KnownLease> {
    return [...this.byNode.values()].filter((known) => this.isDueForFence(known, nowMillis))
  }

  /** Of the present version of its lease alone. */
  isDueForFence(known: KnownLease, nowMillis: number): boolean {
    const { content } = known
    return (
      this.byNode.get(content.node) === known &&
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
    return [...this.byNode.values()].flatMap((known) => {
      const { durationMillis, node } = known.content
      const quietMillis = LeaseCount.quietFor(this.counts, node, nowMillis) ?? 0
      const share = Math.max(1, durationMillis / this.fenceAfterMillis)
      const isSilent = quietMillis >= 2 * this.counts.periodMillis * share
      return isSilent && this.holdIdOf(node) !== undefined ? [{ known, quietMillis }] : []
    })
  }

  ageMillis(node: string, nowMillis: number): number {
    return LeaseCount.quietFor(this.counts, node, nowMillis) ?? 0
  }

  /**
   * Milliseconds until the next lease could become due; at least 10, so that nobody spins on a suspended count. The lease
   * of a node that was fenced stays silent for as long as the node is dead, and nobody waits for it.
   */
  millisUntilDue(nowMillis: number): number {
    let millis = this.counts.periodMillis
    for (const { content } of this.byNode.values()) {
      if (this.holdIdOf(content.node) === undefined) continue
      const { announcedMillis, ownMillis } = this.limitsOf(content)
      const quietMillis = LeaseCount.quietFor(this.counts, content.node, nowMillis) ?? 0
      const leftMillis = Math.max(ownMillis, announcedMillis) - quietMillis
      // One that is due waits for promises, or for who leads.
      millis = Math.min(millis, leftMillis > 0 ? leftMillis : OVERDUE_MILLIS)
    }
    return Math.max(10, millis)
  }

  restartCount(node: string, nowMillis: number): void {
    const version = this.byNode.get(node)?.lease.metadata.resourceVersion
    if (version !== undefined) this.counts = LeaseCount.restart(this.counts, node, version, nowMillis)
  }

  private limitsOf(content: NodeLease.NodeLease): LeaseCount.Limits {
    return { ownMillis: this.fenceAfterMillis, announcedMillis: content.durationMillis }
  }
}

const sameForHolders = (a: NodeLease.NodeLease, b: NodeLease.NodeLease): boolean =>
  a.holdId === b.holdId &&
  a.fenced === b.fenced &&
  a.released === b.released &&
  a.durationMillis === b.durationMillis &&
  a.witnessPort === b.witnessPort &&
  a.macs.join() === b.macs.join() &&
  JSON.stringify(a.interfaces) === JSON.stringify(b.interfaces)
