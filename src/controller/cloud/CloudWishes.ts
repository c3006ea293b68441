/** What a Service needs of a cloud, and why it has it not yet. Pure over the book. */
import type { Decision } from "../../domain/Allocation.ts"
import type * as Assignment from "../../domain/Assignment.ts"
import { type Address, type Family, familyOf, fromBigInt } from "../../domain/Address.ts"
import * as AddressIndex from "../../domain/AddressIndex.ts"
import type { Entry } from "../../domain/Hold.ts"
import type { NodeFacts } from "../../domain/Placement.ts"
import type { Lack, Observed, Purchase } from "../../domain/PlanInput.ts"
import type { Pool } from "../../domain/Pool.ts"
import type { Books } from "../Books.ts"
import * as Waiting from "../Waiting.ts"
import type { CloudView } from "./CloudView.ts"

export interface Surroundings {
  readonly books: Books
  readonly cloud: CloudView
}

export interface Purchasing extends Surroundings {
  readonly nodes: Assignment.Nodes
  /** Nodes that may hold addresses of the pool of this name, whatever its cloud says. */
  readonly candidatesOf: (pool: string) => ReadonlyArray<string>
}

export interface Buying {
  readonly purchases: ReadonlyArray<Purchase>
  /** Why one of them cannot be bought. */
  readonly lack: Lack | undefined
  readonly awaits: ReadonlyArray<Waiting.Topic>
}

const nothing: Buying = { purchases: [], lack: undefined, awaits: [] }

const notRead = (pool: string): Lack => ({
  reason: "CloudNotRead",
  message: `pool ${pool}: its cloud project has not been read yet.`
})

/** Any of the family: only the nodes that may hold one are asked for. */
const anyOf = (family: Family) => fromBigInt(family, 0n)

/** Where the node is that is likely to hold it first, unless the pool says where. */
const locationFor = (pool: Pool, family: Family, cloud: CloudView, nodes: Assignment.Nodes): string | undefined => {
  const node = nodes.choose({ address: anyOf(family), pool: pool.name, interfaceName: pool.interfaceName })
  if (node === undefined) return undefined
  return pool.cloud?.homeLocation ?? cloud.serverOf(pool, node)?.place.location
}

/** Why none of these nodes, which may hold addresses of the pool, can be given this one. */
export const noServer = (
  poolName: string,
  address: Address,
  { books, candidates, cloud }: Surroundings & { readonly candidates: ReadonlyArray<string> }
): Lack => {
  const pool = books.poolNamed(poolName, address)
  const max = pool && books.clouds.viewOf(pool)?.project.addressesPerServerMax
  return pool !== undefined && candidates.some((node) => cloud.barTo(pool, node, address, 0) === "full")
    ? {
        reason: "ServersFull",
        message:
          `pool ${poolName}: each server of a Node that could have an address has ${max}, which is the most that the ` +
          "provider routes to one. Add a node, let others have addresses of this pool (spec.nodeSelector), or free one."
      }
    : {
        reason: "NoServerForAddress",
        message:
          `pool ${poolName}: no Node that may hold an address is a running server of its cloud project with ` +
          `${familyOf(address)} of its own, where spec.cloudIntegration.hetzner.localityPolicy lets it be. Start one, ` +
          "give one such an address there, or change spec.nodeSelector or the policy of the pool."
      }
}

const sameName = (pool: string): Lack => ({
  reason: "PoolNameTwice",
  message:
    `EphemeralIPPool ${pool} buys nothing while there is a PersistentIPPool of the same name. ` +
    "Create one of the two under another name."
})

/** What was bought stays bought: given back, it would be paid for, and the next one bought could be the same. */
const takenBy = (pool: Pool, family: Family, { books, cloud }: Surroundings): Omit<Buying, "purchases"> | undefined => {
  const address = cloud.boughtAddress(pool, family, [])
  const holder = address && AddressIndex.claimOf(books.addresses.index, address)
  if (address === undefined || holder === undefined) return undefined
  return {
    lack: {
      reason: "AddressTaken",
      message:
        `${address} was bought for it by pool ${pool.name}, and is held by Service ${holder.namespace}/${holder.name}. ` +
        "Delete that one, or ask it for another address."
    },
    awaits: ["pools", "clouds", Waiting.addressTopic(address)]
  }
}

const buyOne = (poolName: string, family: Family, { books, candidatesOf, cloud, nodes }: Purchasing): Buying => {
  const pool = books.poolNamed(poolName)
  // `spec.allocations` has a pool's name alone: what was bought by the one would be taken for the other's.
  if (pool?.kind === "PersistentIPPool") return { purchases: [], lack: sameName(poolName), awaits: ["pools"] }
  if (pool?.cloud === undefined) return nothing
  const intent = { pool: poolName, family, cloudProvider: pool.cloud.provider }
  const taken = takenBy(pool, family, { books, cloud })
  if (taken !== undefined) return { purchases: [{ intent, location: undefined }], ...taken }
  const awaits: ReadonlyArray<Waiting.Topic> = ["nodes", "pools", "clouds", Waiting.poolTopic(poolName, family)]
  const trouble = books.clouds.poolTrouble(pool) ?? (cloud.isKnown(pool) ? undefined : notRead(poolName))
  const location = trouble === undefined ? locationFor(pool, family, cloud, nodes) : undefined
  const nowhere = () => noServer(poolName, anyOf(family), { books, cloud, candidates: candidatesOf(poolName) })
  const lack = trouble ?? (location === undefined ? nowhere() : undefined)
  return { purchases: [{ intent, location }], lack, awaits }
}

export const purchasesOf = ({ outcomes }: Decision, surroundings: Purchasing): Buying =>
  outcomes
    .flatMap((outcome) => (outcome._tag === "Buy" ? [buyOne(outcome.pool, outcome.family, surroundings)] : []))
    .reduce(
      (all, one): Buying => ({
        purchases: [...all.purchases, ...one.purchases],
        lack: all.lack ?? one.lack,
        awaits: [...all.awaits, ...one.awaits]
      }),
      nothing
    )

/** Undefined: all that is granted is where it should be, or on its way. `awaits`: what may bring it. */
export const hindranceOf = (
  key: string,
  entries: ReadonlyArray<Entry>,
  { books, cloud, routeOf }: Surroundings & { readonly routeOf: Observed["routeOf"] }
): Omit<Buying, "purchases"> => {
  const refused = books.clouds.serviceTrouble(key)
  if (refused !== undefined) return { lack: refused, awaits: [] }
  for (const entry of entries) {
    const pool = entry.cloudProvider === undefined ? undefined : books.poolOfEntry(entry)
    if (pool === undefined || routeOf(entry) === "inPlace") continue
    const lack = books.clouds.poolTrouble(pool) ?? cloud.obstacle(pool, entry)
    if (lack !== undefined) return { lack, awaits: ["clouds"] }
  }
  return nothing
}

/** That an address was deleted is told while another is bought, unless that cannot be. */
export const firstOf = (hindrance: Omit<Buying, "purchases">, buying: Buying): Lack | undefined =>
  hindrance.lack?.reason === "CloudAddressDeleted" ? (buying.lack ?? hindrance.lack) : (hindrance.lack ?? buying.lack)

/** What its Service shows until another is served in its place. */
export const deletionOf = (present: ReadonlyArray<Entry>, { books, cloud }: Surroundings): Lack | undefined => {
  for (const entry of present.filter(({ node }) => node !== undefined)) {
    const pool = entry.cloudProvider === undefined ? undefined : books.poolOfEntry(entry)
    if (pool !== undefined && cloud.isDeleted(pool, entry)) return cloud.obstacle(pool, entry)
  }
  return undefined
}

/** Nobody counts for an address that no operator holds: its Node is lost once it has been NotReady for long enough. */
export const isLostToCloud = ({ notReadySinceMillis }: NodeFacts, pool: Pool | undefined, nowMillis: number): boolean =>
  pool?.cloud !== undefined &&
  pool.interfaceName === undefined &&
  notReadySinceMillis !== undefined &&
  nowMillis - notReadySinceMillis >= pool.cloud.nodeGraceMillis
