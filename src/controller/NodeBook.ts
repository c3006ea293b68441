/**
 * The nodes as candidates and holders: their objects, what their operators say in the NodeLeases, and for how long each
 * lease has not changed. Every replica keeps it, leader or not, so that a new leader need not count from the beginning.
 */
import type { Lease } from "../api/Lease.ts"
import type { Node } from "../api/Node.ts"
import * as NodeLease from "../api/NodeLease.ts"
import type { Holder } from "../domain/Hold.ts"
import * as HoldId from "../domain/HoldId.ts"
import * as LeaseCount from "../domain/LeaseCount.ts"
import type * as Placement from "../domain/Placement.ts"
import type { Change } from "../reconcile/Reflector.ts"

export interface KnownLease {
  readonly lease: Lease
  readonly content: NodeLease.NodeLease
}

export class NodeBook {
  readonly nodes = new Map<string, Node>()
  /** By node name. */
  readonly leases = new Map<string, KnownLease>()
  counts: LeaseCount.LeaseCounts
  private readonly fenceAfterMillis: number

  constructor(renewEveryMillis: number, fenceAfterMillis: number, nowMillis: number) {
    this.counts = LeaseCount.make(renewEveryMillis, nowMillis)
    this.fenceAfterMillis = fenceAfterMillis
  }

  /** The node whose facts changed in a way that may matter to a holder; undefined: a renewal, or no NodeLease. */
  onLease({ after, before }: Change<Lease>, nowMillis: number): string | undefined {
    const content = after === undefined ? undefined : NodeLease.read(after)
    const old = before === undefined ? undefined : NodeLease.read(before)
    if (content === undefined) this.counts = LeaseCount.heard(this.counts, nowMillis)
    if (after === undefined || content === undefined) {
      if (old === undefined) return undefined
      this.leases.delete(old.node)
      this.counts = LeaseCount.forget(this.counts, old.node)
      return old.node
    }
    this.leases.set(content.node, { lease: after, content })
    this.counts = LeaseCount.observe(this.counts, content.node, after.metadata.resourceVersion ?? "", nowMillis)
    return old !== undefined && sameForHolders(old, content) ? undefined : content.node
  }

  /** A complete list of the NodeLeases was read: counts that a gap had suspended may go on. */
  onLeasesListed(nowMillis: number): void {
    const versions = new Map([...this.leases].map(([node, { lease }]) => [node, lease.metadata.resourceVersion ?? ""]))
    this.counts = LeaseCount.resume(this.counts, { versions, candidates: new Set(versions.keys()) }, nowMillis)
  }

  needsList(nowMillis: number): boolean {
    return LeaseCount.needsList(this.counts, nowMillis)
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

  factsOf(node: Node, nowMillis: number): Placement.NodeFacts {
    const { metadata, spec, status } = node
    return {
      name: metadata.name,
      labels: metadata.labels ?? {},
      taints: spec?.taints ?? [],
      conditions: status?.conditions ?? [],
      unschedulable: spec?.unschedulable ?? false,
      deleting: metadata.deletionTimestamp !== undefined,
      lease: this.leaseFacts(metadata.name, nowMillis)
    }
  }

  private leaseFacts(name: string, nowMillis: number): Placement.LeaseFacts | undefined {
    const known = this.leases.get(name)
    if (known === undefined) return undefined
    const { content } = known
    const quiet = LeaseCount.quietFor(this.counts, name, nowMillis) ?? Number.POSITIVE_INFINITY
    return {
      renewed: quiet < Math.min(content.durationMillis, this.fenceAfterMillis),
      fenced: this.holdIdOf(name) === undefined,
      candidate: content.durationMillis <= this.fenceAfterMillis,
      interfaces: new Map(
        Object.entries(content.interfaces).map(([each, problem]) => [each, problem === "" ? {} : { problem }])
      )
    }
  }

  /** Nodes whose lease has not changed for long enough to be fenced. */
  dueForFence(nowMillis: number): ReadonlyArray<KnownLease> {
    return [...this.leases.values()].filter(
      ({ content }) =>
        this.holdIdOf(content.node) !== undefined &&
        LeaseCount.isDue(this.counts, content.node, this.limitsOf(content), nowMillis)
    )
  }

  /** Milliseconds until the next lease could become due; at least 10, so that nobody spins on a suspended count. */
  millisUntilDue(nowMillis: number): number {
    const remaining = [...this.leases.values()].map(({ content }) => {
      const { announcedMillis, ownMillis } = this.limitsOf(content)
      return Math.max(ownMillis, announcedMillis) - (LeaseCount.quietFor(this.counts, content.node, nowMillis) ?? 0)
    })
    return Math.max(10, Math.min(this.counts.periodMillis, ...remaining))
  }

  restartCount(node: string, nowMillis: number): void {
    const version = this.leases.get(node)?.lease.metadata.resourceVersion
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
  JSON.stringify(a.interfaces) === JSON.stringify(b.interfaces)
