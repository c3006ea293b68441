/**
 * What the controller knows beyond its caches: which address is whose, and who is concerned by a change. Kept in step
 * with the caches by their change handlers, synchronously, so that no reader ever sees one without the other.
 */
import type { IPAllocation } from "../api/IPAllocation.ts"
import { acknowledgementsOf, claimsInLabels, entriesOf, intentsOf } from "../api/AllocationEntries.ts"
import type { ObjectMeta } from "../api/KubernetesObject.ts"
import type { Node } from "../api/Node.ts"
import * as AddressIndex from "../domain/AddressIndex.ts"
import { type Address, familyOf } from "../domain/Address.ts"
import type { Entry, Holder } from "../domain/Hold.ts"
import * as FloatingAddress from "../domain/FloatingAddress.ts"
import * as Hold from "../domain/Hold.ts"
import * as Pool from "../domain/Pool.ts"
import { labelNames } from "../domain/CloudClaim.ts"
import type { Reserved } from "../domain/PoolConflicts.ts"
import type { CloudAddress, Unreadable } from "../ports/Cloud.ts"
import type { Change } from "../reconcile/Reflector.ts"
import { AddressBook } from "./AddressBook.ts"
import { CloudBook } from "./cloud/CloudBook.ts"
import { Multimap } from "./Multimap.ts"
import { Occupied } from "./Occupied.ts"
import { OtherLoadBalancer } from "./OtherLoadBalancer.ts"
import { ReadyEndpoints } from "./ReadyEndpoints.ts"
import * as Waiting from "./Waiting.ts"

const nodesOf = (entry: Entry): ReadonlyArray<string> => [
  ...(entry.node === undefined ? [] : [entry.node]),
  ...entry.previous.map((holder) => holder.node)
]

/** The claims of an IPAllocation are made in the name of the Service that owns it; v0.4 wrote no owner. */
const claimantOf = (metadata: ObjectMeta): AddressIndex.Claimant => ({
  namespace: metadata.namespace ?? "",
  name: metadata.name,
  uid: metadata.ownerReferences?.find((owner) => owner.kind === "Service")?.uid ?? ""
})

export interface KnownPool {
  readonly pool: Pool.Pool
  readonly problems: ReadonlyArray<Pool.PoolProblem>
}

/** What one IPAllocation was recorded with, so that exactly this is forgotten. */
interface Recorded {
  readonly claims: ReadonlyArray<Address>
  readonly pools: ReadonlyArray<string>
  readonly nodes: ReadonlyArray<string>
  /** Of each entry that names one. */
  readonly holders: ReadonlyArray<string>
  /** Of each entry of a cloud that names one: the node and the address. */
  readonly routed: ReadonlyArray<readonly [node: string, address: Address]>
  /** Of the IPAllocation. */
  readonly uid: string
  /** It could be read, then at least. */
  readonly isReadable: boolean
}

export class Books {
  /** By `kind/name`. */
  readonly pools = new Map<string, KnownPool>()
  /** By `kind/name`: pools that exist and cannot be read: what they granted stays as it is. */
  readonly unreadablePools = new Set<string>()
  readonly addresses: AddressBook
  /** Service keys by pool name, and by node that holds or must let go. */
  readonly keysByPool = new Multimap()
  readonly keysByNode = new Multimap()
  /** Addresses of clouds by node that is to have them. */
  private readonly routedByNode = new Multimap<Address>()
  /** Addresses per node, for placement. */
  readonly loadByNode = new Map<string, number>()
  /** The sum of these. */
  heldCount = 0
  readonly waiting = new Waiting.Waiting()
  readonly endpoints = new ReadyEndpoints()
  readonly clouds = new CloudBook()
  readonly occupied = new Occupied()
  readonly otherLoadBalancer = new OtherLoadBalancer()
  /** Services to look at again, because of what happened to another's claim. */
  wake: (keys: Iterable<string>) => void = () => {}
  /** Keys of IPAllocations by their UID. */
  private readonly keysByUid = new Map<string, string>()
  private readonly recorded = new Map<string, Recorded>()
  private readonly isFenced: (holder: Holder) => boolean

  constructor(isFenced: (holder: Holder) => boolean) {
    this.isFenced = isFenced
    this.addresses = new AddressBook({
      pools: () => [...this.pools.values()].map(({ pool }) => pool),
      wake: (keys) => this.wake(keys),
      onFree: (address, pool) => this.announceFree(address, pool)
    })
    this.clouds.holderOf = (claim) => this.keysByUid.get(claim)
    this.clouds.addressesOn = (node) => this.routedByNode.get(node)
  }

  onAllocation({ after, key }: Pick<Change<IPAllocation>, "after" | "key">): void {
    const before = this.recorded.get(key)
    if (after === undefined) this.recorded.delete(key)
    else this.recordAllocation(key, after)
    this.settle(key, before)
  }

  /**
   * Known by its metadata only: what it claims is in its labels, which a newer version goes on writing. Beside what was readable of
   * it last, which stays.
   */
  onUnreadableAllocation(key: string, metadata: ObjectMeta): void {
    const before = this.recorded.get(key)
    const stays = before?.isReadable === true ? before : undefined
    const claims = [...new Set([...(stays?.claims ?? []), ...claimsInLabels(metadata.labels ?? {})])]
    const createdAt = metadata.creationTimestamp ?? ""
    const claimant = claimantOf(metadata)
    for (const address of claims.filter((each) => before?.claims.includes(each) !== true)) {
      this.addresses.claims.set(address, {
        ...claimant,
        key,
        createdAt,
        served: true,
        pool: this.addresses.poolOf(address)
      })
    }
    const unknown = { nodes: [], holders: [], routed: [], uid: metadata.uid ?? "", isReadable: false }
    this.recorded.set(key, { ...(stays ?? { ...unknown, pools: this.poolsOf(claims) }), claims })
    this.settle(key, before)
  }

  /** By what lists them, as far as that is known. */
  private poolsOf(addresses: ReadonlyArray<Address>): ReadonlyArray<string> {
    return [...new Set(addresses.map((address) => this.addresses.poolOf(address)))].filter((pool) => pool !== "")
  }

  /** As `Pool.named`. */
  poolNamed(name: string, address?: Address): Pool.Pool | undefined {
    const both = (["PersistentIPPool", "EphemeralIPPool"] as const).flatMap(
      (kind) => this.pools.get(`${kind}/${name}`)?.pool ?? []
    )
    return Pool.named(both, name, address)
  }

  /** By which an address that is granted is held. */
  poolOfEntry({ address, pool }: { readonly address: Address; readonly pool: string }): Pool.Pool | undefined {
    return this.poolNamed(pool, address)
  }

  /** Only this kind buys. */
  buyerNamed(name: string): Pool.Pool | undefined {
    return this.pools.get(`EphemeralIPPool/${name}`)?.pool
  }

  /** A pool that cannot be read is not a pool that is gone. */
  isUnreadable(pool: string): boolean {
    const isUnread =
      this.unreadablePools.has(`PersistentIPPool/${pool}`) || this.unreadablePools.has(`EphemeralIPPool/${pool}`)
    return this.poolNamed(pool) === undefined && isUnread
  }

  /**
   * Who has an address of what the provider routes: by the IPAllocation that it is labelled for, whatever address of an
   * IPv6 network that one has, or by one that is being written just now, which has what the pool gives.
   */
  claimIn(
    pool: Pool.Pool,
    { labels = {}, network }: Pick<CloudAddress, "labels" | "network"> | Pick<Unreadable, "labels" | "network">
  ): AddressIndex.Claim | undefined {
    const key = this.keysByUid.get(labels[labelNames.claim] ?? "")
    const claims = (key === undefined ? undefined : this.recorded.get(key)?.claims) ?? []
    const address =
      network === undefined
        ? claims[0]
        : (claims.find((each) => FloatingAddress.contains(network, each)) ??
          (pool.cloud && FloatingAddress.hostOf(network, pool.cloud.ipv6Suffix)))
    return address && AddressIndex.claimOf(this.addresses.index, address)
  }

  /**
   * How many addresses of this pool are paid for. What is bought and not written down yet counts for the pools that its
   * IPAllocation names; what none names any more, for every pool.
   */
  countBought(pool: Pool.Pool): number {
    const inUse = AddressIndex.counts(this.addresses.index, pool)
    const { clouds } = this
    const bought = pool.cloud === undefined ? [] : [...clouds.boughtIn(pool), ...clouds.boughtUnreadableIn(pool)]
    const mayBeFor = (claim: string | undefined) => this.poolsOfClaim(claim)?.includes(pool.name) ?? true
    const unclaimed = bought.filter(
      (each) => mayBeFor(each.labels?.[labelNames.claim]) && this.claimIn(pool, each) === undefined
    )
    return inUse.IPv4.inUse + inUse.IPv6.inUse + unclaimed.length - this.deletedIn(pool).length
  }

  /** Undefined: it is no IPAllocation, or says nothing of pools. */
  private poolsOfClaim(uid = ""): ReadonlyArray<string> | undefined {
    const key = this.keysByUid.get(uid)
    const pools = key === undefined ? undefined : this.recorded.get(key)?.pools
    return pools?.length === 0 ? undefined : pools
  }

  /** Granted, and deleted at the provider since. */
  deletedIn(pool: Pool.Pool): ReadonlyArray<Address> {
    const deleted = [...(this.clouds.viewOf(pool)?.deleted ?? [])]
    return deleted.filter((address) => AddressIndex.claimOf(this.addresses.index, address)?.pool === pool.name)
  }

  /** Of which something is remembered that only a step for the Service takes back, which may be gone. */
  keysToSettle(): ReadonlySet<string> {
    return new Set([...this.waiting.keys(), ...this.addresses.reservingKeys(), ...this.clouds.refusedKeys()])
  }

  /** Sets what the key waits for. Whoever stops waiting for a pool that still has an address wakes the next. */
  wait(key: string, topics: ReadonlyArray<Waiting.Topic>): void {
    for (const topic of this.waiting.set(key, topics)) {
      const wanted = Waiting.poolOf(topic)
      if (wanted && AddressIndex.nextFree(this.addresses.index, wanted.pool, wanted.family) !== undefined)
        this.wakeFirst(topic)
    }
  }

  private wakeFirst(topic: Waiting.Topic): void {
    const first = this.waiting.first(topic)
    if (first !== undefined) this.wake([first])
  }

  onPool(kind: Pool.PoolKind, name: string, object: Pool.PoolObject | undefined): void {
    const id = `${kind}/${name}`
    if (object === undefined) this.pools.delete(id)
    else this.pools.set(id, Pool.make(kind, object))
    this.addresses.onPools()
    for (const [key, before] of this.recorded) {
      if (before.isReadable) continue
      for (const address of before.claims) this.addresses.nameUnread(address)
      this.recorded.set(key, { ...before, pools: this.poolsOf(before.claims) })
      this.settle(key, before)
    }
  }

  /** True when the node's own networks changed, which may turn a pool's address into a reserved one. */
  onNode(name: string, node: Node | undefined, reservedOf: (node: Node) => ReadonlyArray<Reserved>): boolean {
    return this.addresses.onReserved(`Node/${name}`, node === undefined ? [] : reservedOf(node))
  }

  private recordAllocation(key: string, allocation: IPAllocation): void {
    const entries = entriesOf(allocation)
    const serving = acknowledgementsOf(allocation).filter((each) => each.phase === "Serving" && !this.isFenced(each))
    const claimed = Hold.claimedAddresses(entries, serving)
    const claimant = claimantOf(allocation.metadata)
    const createdAt = allocation.metadata.creationTimestamp ?? ""
    for (const address of claimed) {
      const pool = entries.find((entry) => entry.address === address)?.pool ?? this.addresses.poolOf(address)
      const served = serving.some((each) => each.address === address)
      this.addresses.record(address, { ...claimant, key, createdAt, served, pool })
    }
    this.recorded.set(key, {
      claims: claimed,
      pools: [...new Set([...entries, ...intentsOf(allocation)].map(({ pool }) => pool))],
      nodes: [...new Set([...entries.flatMap(nodesOf), ...serving.map(({ node }) => node)])],
      holders: entries.flatMap(({ node }) => node ?? []),
      routed: entries.flatMap(({ address, cloudProvider, node }) =>
        cloudProvider === undefined || node === undefined ? [] : [[node, address] as const]
      ),
      uid: allocation.metadata.uid ?? "",
      isReadable: true
    })
  }

  /** The indexes after `key` went from `before` to what is recorded now. */
  private settle(key: string, before: Recorded | undefined): void {
    const now = this.recorded.get(key)
    if (before !== undefined && before.uid !== now?.uid) this.keysByUid.delete(before.uid)
    if (now !== undefined) this.keysByUid.set(now.uid, key)
    for (const pool of before?.pools ?? []) if (now?.pools.includes(pool) !== true) this.keysByPool.remove(pool, key)
    for (const pool of now?.pools ?? []) this.keysByPool.add(pool, key)
    for (const node of before?.nodes ?? []) if (now?.nodes.includes(node) !== true) this.keysByNode.remove(node, key)
    for (const node of now?.nodes ?? []) this.keysByNode.add(node, key)
    for (const node of before?.holders ?? []) this.addLoad(node, -1)
    for (const node of now?.holders ?? []) this.addLoad(node, 1)
    for (const [node, address] of before?.routed ?? []) this.routedByNode.remove(node, address)
    for (const [node, address] of now?.routed ?? []) this.routedByNode.add(node, address)
    this.addresses.settle(key, before?.claims ?? [], now?.claims ?? [])
  }

  /** Who waits for the pool that lists it by now can have it, whichever has granted it. */
  private announceFree(address: Address, pool: string): void {
    this.wake(this.waiting.all(Waiting.addressTopic(address)))
    this.wakeFirst(Waiting.poolTopic(pool, familyOf(address)))
    this.wake(this.waiting.all("occupied"))
  }

  private addLoad(node: string, by: 1 | -1): void {
    this.heldCount += by
    const load = (this.loadByNode.get(node) ?? 0) + by
    if (load === 0) this.loadByNode.delete(node)
    else this.loadByNode.set(node, load)
  }
}
