/**
 * What the controller knows beyond its caches: which address is whose, and who is concerned by a change. Kept in step
 * with the caches by their change handlers, synchronously, so that no reader ever sees one without the other.
 */
import type { IPAllocation } from "../api/IPAllocation.ts"
import { entriesOf } from "../api/AllocationEntries.ts"
import type { Node } from "../api/Node.ts"
import * as AddressIndex from "../domain/AddressIndex.ts"
import type { Entry } from "../domain/Hold.ts"
import * as Pool from "../domain/Pool.ts"
import type { Reserved } from "../domain/PoolConflicts.ts"
import type { Change } from "../reconcile/Reflector.ts"

/** Key sets by some property of an IPAllocation. */
class Multimap {
  private readonly sets = new Map<string, Set<string>>()

  add(property: string, key: string): void {
    const set = this.sets.get(property)
    if (set === undefined) this.sets.set(property, new Set([key]))
    else set.add(key)
  }

  remove(property: string, key: string): void {
    const set = this.sets.get(property)
    set?.delete(key)
    if (set?.size === 0) this.sets.delete(property)
  }

  get(property: string): ReadonlySet<string> {
    return this.sets.get(property) ?? new Set()
  }
}

const nodesOf = (entry: Entry): ReadonlyArray<string> => [
  ...(entry.node === undefined ? [] : [entry.node]),
  ...entry.previous.map((holder) => holder.node)
]

/** The claims of an IPAllocation are made in the name of the Service that owns it; v0.4 wrote no owner. */
const claimantOf = ({ metadata }: IPAllocation): AddressIndex.Claimant => ({
  namespace: metadata.namespace ?? "",
  name: metadata.name,
  uid: metadata.ownerReferences?.find((owner) => owner.kind === "Service")?.uid ?? ""
})

export interface KnownPool {
  readonly pool: Pool.Pool
  readonly problems: ReadonlyArray<Pool.PoolProblem>
}

export class Books {
  index: AddressIndex.AddressIndex = AddressIndex.make({ pools: [], reserved: [] })
  /** By `kind/name`. */
  readonly pools = new Map<string, KnownPool>()
  /** Service keys by pool name, and by node that holds or must let go. */
  readonly keysByPool = new Multimap()
  readonly keysByNode = new Multimap()
  /** Addresses per node, for placement. */
  readonly loadByNode = new Map<string, number>()
  /** Services that lack something which another object's change may bring: an address, or a node. */
  readonly waiting = new Set<string>()
  private readonly reservedByNode = new Map<string, ReadonlyArray<Reserved>>()

  onAllocation({ after, before, key }: Change<IPAllocation>): void {
    if (before !== undefined) this.forget(key, before)
    if (after !== undefined) this.record(key, after)
  }

  /** A claim for what is about to be written, so that no other Service is granted it meanwhile. False: it is taken. */
  reserve(address: Entry["address"], claim: AddressIndex.Claim): boolean {
    const claimed = AddressIndex.claim(this.index, address, claim)
    if (claimed._tag === "Failure") return false
    this.index = claimed.success
    return true
  }

  release(address: Entry["address"], claimant: AddressIndex.Claimant): void {
    this.index = AddressIndex.release(this.index, address, claimant)
  }

  onPool(kind: Pool.PoolKind, name: string, object: Pool.PoolObject | undefined): void {
    const id = `${kind}/${name}`
    if (object === undefined) this.pools.delete(id)
    else this.pools.set(id, Pool.make(kind, object))
    this.rebuildGround()
  }

  /** True when the node's own networks changed, which may turn a pool's address into a reserved one. */
  onNode(name: string, node: Node | undefined, reservedOf: (node: Node) => ReadonlyArray<Reserved>): boolean {
    const before = this.reservedByNode.get(name) ?? []
    const after = node === undefined ? [] : reservedOf(node)
    if (JSON.stringify(before, bigints) === JSON.stringify(after, bigints)) return false
    if (node === undefined) this.reservedByNode.delete(name)
    else this.reservedByNode.set(name, after)
    this.rebuildGround()
    return true
  }

  private rebuildGround(): void {
    this.index = AddressIndex.withGround(this.index, {
      pools: [...this.pools.values()].map(({ pool }) => pool),
      reserved: [...this.reservedByNode.values()].flat()
    })
  }

  private record(key: string, allocation: IPAllocation): void {
    const claimant = claimantOf(allocation)
    for (const entry of entriesOf(allocation)) {
      this.reserve(entry.address, { ...claimant, pool: entry.pool })
      this.keysByPool.add(entry.pool, key)
      for (const node of nodesOf(entry)) this.keysByNode.add(node, key)
      if (entry.node !== undefined) this.loadByNode.set(entry.node, (this.loadByNode.get(entry.node) ?? 0) + 1)
    }
  }

  private forget(key: string, allocation: IPAllocation): void {
    const claimant = claimantOf(allocation)
    for (const entry of entriesOf(allocation)) {
      this.release(entry.address, claimant)
      this.keysByPool.remove(entry.pool, key)
      for (const node of nodesOf(entry)) this.keysByNode.remove(node, key)
      if (entry.node !== undefined) this.loadByNode.set(entry.node, (this.loadByNode.get(entry.node) ?? 1) - 1)
    }
  }
}

const bigints = (_key: string, value: unknown): unknown => (typeof value === "bigint" ? value.toString() : value)
