/**
 * What Prometheus is told of a replica, from its books and at the moment of the question: nothing is counted meanwhile. Of
 * clouds and of who waits only the leader knows anything; what one that has led knew is old.
 */
import { Effect, Metric } from "effect"
import * as AddressIndex from "../domain/AddressIndex.ts"
import * as FloatingAddress from "../domain/FloatingAddress.ts"
import type * as Pool from "../domain/Pool.ts"
import type { CloudAddress } from "../ports/Cloud.ts"
import type { Books } from "./Books.ts"
import type { NodeBook } from "./NodeBook.ts"
import { unreachedBy } from "./VotersUnreached.ts"

export const descriptions = {
  plenuslb_leader: "1: this replica leads and writes.",
  plenuslb_pool_addresses: "Addresses of a pool, by family and state (in_use, available).",
  plenuslb_services_waiting: "Services that lack something which another object may bring.",
  plenuslb_node_lease_age_seconds: "For how long the lease of the node has not changed, as this replica counts.",
  plenuslb_voters_unreached: "How many of the node's voters have not answered it for minutes.",
  plenuslb_cloud_unreadable:
    "Addresses and servers in the project of a pool that this version does not understand, and leaves.",
  plenuslb_cloud_addresses:
    "Paid addresses at the provider: those bought for the pool, or listed by it. Without a pool: bought, and of no Service.",
  plenuslb_cloud_addresses_idle: "Of these, those that are routed to no server."
} as const

export interface Figure {
  readonly name: keyof typeof descriptions
  readonly labels: { readonly [label: string]: string }
  readonly value: number
}

const ofPool = ({ addresses: { index } }: Books, pool: Pool.Pool): ReadonlyArray<Figure> => {
  const counts = AddressIndex.counts(index, pool)
  return (["IPv4", "IPv6"] as const).flatMap((family) => {
    const { available, inUse, total } = counts[family]
    if (total === 0 && inUse === 0) return []
    const labels = { kind: pool.kind, pool: pool.name, family }
    return [
      { name: "plenuslb_pool_addresses", labels: { ...labels, state: "in_use" }, value: inUse },
      { name: "plenuslb_pool_addresses", labels: { ...labels, state: "available" }, value: available }
    ]
  })
}

/** Whose costs they are: those of the pool that it was bought for, or that lists it or an address of it. */
const isPaidFor = (books: Books, pool: Pool.Pool, found: CloudAddress): boolean =>
  pool.kind === "EphemeralIPPool"
    ? books.claimIn(pool, found)?.pool === pool.name
    : FloatingAddress.isListed(pool.ranges, found.network)

const counted = (
  labels: Figure["labels"],
  addresses: ReadonlyArray<Pick<CloudAddress, "server">>
): ReadonlyArray<Figure> => [
  { name: "plenuslb_cloud_addresses", labels, value: addresses.length },
  {
    name: "plenuslb_cloud_addresses_idle",
    labels,
    value: addresses.filter(({ server }) => server === undefined).length
  }
]

const ofClouds = (books: Books): ReadonlyArray<Figure> => {
  const pools = [...books.pools.values()].map(({ pool }) => pool).filter((pool) => books.clouds.viewOf(pool))
  /** Pools with one token share what is bought. */
  const nobodys = new Map(pools.flatMap((pool) => books.clouds.boughtIn(pool).map((each) => [each.id, each] as const)))
  const figures = pools.flatMap((pool) => {
    const bought = pool.kind === "EphemeralIPPool" ? books.clouds.boughtIn(pool) : undefined
    const addresses = (bought ?? books.clouds.viewOf(pool)?.addresses ?? []).filter((each) =>
      isPaidFor(books, pool, each)
    )
    for (const { id } of addresses) nobodys.delete(id)
    const labels = { kind: pool.kind, pool: pool.name }
    const unreadable = books.clouds.viewOf(pool)?.unreadable.length ?? 0
    return [...counted(labels, addresses), { name: "plenuslb_cloud_unreadable", labels, value: unreadable } as const]
  })
  return pools.length === 0 ? [] : [...figures, ...counted({ kind: "", pool: "" }, [...nobodys.values()])]
}

export const figuresOf = (
  books: Books,
  nodeBook: NodeBook,
  { isLeader, nowMillis }: { readonly isLeader: boolean; readonly nowMillis: number }
): ReadonlyArray<Figure> => [
  { name: "plenuslb_leader", labels: {}, value: isLeader ? 1 : 0 },
  { name: "plenuslb_services_waiting", labels: {}, value: isLeader ? books.waiting.size() : 0 },
  ...[...books.pools.values()].flatMap(({ pool }) => ofPool(books, pool)),
  ...nodeBook.currentLeases().flatMap(({ content }): ReadonlyArray<Figure> => {
    const { node } = content
    const ageMillis = nodeBook.leases.ageMillis(node, nowMillis)
    return [
      { name: "plenuslb_node_lease_age_seconds", labels: { node }, value: ageMillis / 1_000 },
      { name: "plenuslb_voters_unreached", labels: { node }, value: Object.keys(unreachedBy(content) ?? {}).length }
    ]
  }),
  ...(isLeader ? ofClouds(books) : [])
]

/** Into the registry of the fiber. */
export const publish = (figures: ReadonlyArray<Figure>): Effect.Effect<void> =>
  Effect.forEach(
    figures,
    ({ labels, name, value }) => {
      const gauge = Metric.gauge(name, { description: descriptions[name] })
      return Metric.update(Metric.withAttributes(gauge, labels), value)
    },
    { discard: true }
  )
