/** What a decision about one Service sees of the clouds of its addresses. Pure over the book. */
import * as Address from "../../domain/Address.ts"
import * as CloudClaim from "../../domain/CloudClaim.ts"
import * as FloatingAddress from "../../domain/FloatingAddress.ts"
import type { Entry } from "../../domain/Hold.ts"
import type { Lack, Route } from "../../domain/PlanInput.ts"
import type { Pool } from "../../domain/Pool.ts"
import type { CloudAddress, CloudServer, Unreadable } from "../../ports/Cloud.ts"
import type { CloudBook, ProjectView } from "./CloudBook.ts"
import * as ServerRoom from "./ServerRoom.ts"

/** The Service and its IPAllocation, as names and labels at the provider say it. */
export interface Claimant {
  readonly namespace: string
  readonly service: string
  /** UID of the IPAllocation; empty before there is one. */
  readonly uid: string
}

const {
  claim: claimLabel,
  cluster: clusterLabel,
  managedBy: managedByLabel,
  ownership: ownershipLabel
} = CloudClaim.labelNames

/** v0.4 wrote this label alone, and called what it bought so. */
const isOfV04 = ({ labels, name }: CloudAddress): boolean =>
  labels[managedByLabel] === CloudClaim.managedBy &&
  labels[clusterLabel] === undefined &&
  name.startsWith(CloudClaim.namePrefix)

export const isOfAnotherCluster = ({ labels }: CloudAddress, cluster: string): boolean =>
  labels[managedByLabel] === CloudClaim.managedBy &&
  labels[clusterLabel] !== undefined &&
  labels[clusterLabel] !== cluster

const deletedLack = ({ kind, name }: Pool, address: Address.Address): Lack => ({
  reason: "CloudAddressDeleted",
  message:
    `${address} of pool ${name} has been deleted at the provider. ` +
    (kind === "EphemeralIPPool"
      ? "Another is bought for a Service that does not name it; the Service shows the old one until that is served."
      : "Nothing else is given for it: take it off spec.addresses of the pool and off its Service.")
})

/** By its id or its address; one that tells neither may be any. */
export const unreadableFor = (
  all: ReadonlyArray<Unreadable>,
  { address, cloudId }: Pick<Entry, "address" | "cloudId">
): Unreadable | undefined =>
  all.find(({ id, kind, network }) => {
    if (kind !== "address") return false
    if (id !== undefined && id === cloudId) return true
    return network !== undefined && FloatingAddress.contains(network, address)
  })

const unreadableLack = ({ name }: Pool, address: Address.Address, { error }: Unreadable): Lack => ({
  reason: "CloudAddressUnreadable",
  message:
    `${address} of pool ${name} is at the provider, and what is said of it is not understood (${error.detail}). It is left ` +
    "as it is, neither moved nor given back. A newer version may understand it."
})

export class CloudView {
  readonly claimant: Claimant
  private readonly book: CloudBook

  constructor(book: CloudBook, claimant: Claimant) {
    this.book = book
    this.claimant = claimant
  }

  isKnown(pool: Pool): boolean {
    return this.book.viewOf(pool) !== undefined
  }

  claimOf(family: Address.Family): CloudClaim.Claim {
    return { cluster: this.book.cluster, clusterName: this.book.clusterName, family, ...this.claimant }
  }

  /** As the project has it; undefined: it has not, or was not read yet. */
  find(pool: Pool, { address, cloudId }: Pick<Entry, "address" | "cloudId">): CloudAddress | undefined {
    const addresses = this.book.viewOf(pool)?.addresses ?? []
    const known = addresses.find(({ id }) => id === cloudId)
    if (known !== undefined) return known
    const found = addresses.find(({ network }) => FloatingAddress.contains(network, address))
    // Bought by somebody else since ours was deleted: the provider gives the same address to whom it likes.
    const isStrange = found !== undefined && cloudId !== undefined && pool.kind === "EphemeralIPPool"
    return isStrange && !this.isBought(found) ? undefined : found
  }

  /** It is known to have been deleted at the provider. */
  isDeleted(pool: Pool, entry: Pick<Entry, "address" | "cloudId">): boolean {
    return this.book.viewOf(pool)?.deleted.has(entry.address) === true && this.find(pool, entry) === undefined
  }

  /** Bought for this claim. */
  isBought({ labels }: Pick<CloudAddress, "labels">): boolean {
    return (
      labels[clusterLabel] === this.book.cluster &&
      labels[claimLabel] === this.claimant.uid &&
      labels[ownershipLabel] === "created"
    )
  }

  bought(pool: Pool): ReadonlyArray<CloudAddress> {
    if (this.claimant.uid === "") return []
    return this.book.viewOf(pool)?.addresses.filter((each) => this.isBought(each)) ?? []
  }

  /** Bought for this claim, and made the user's own since: it is still called as we, or v0.4, call what is bought. */
  private isPromoted({ labels, name }: CloudAddress): boolean {
    return (
      labels[clusterLabel] === this.book.cluster &&
      labels[claimLabel] === this.claimant.uid &&
      name.startsWith(CloudClaim.namePrefix)
    )
  }

  /**
   * The address to grant of what was bought for this claim: the one of it that the claim has, whatever the pool's suffix is
   * by now, since a network is routed, and returned, as a whole.
   */
  boughtAddress(pool: Pool, family: Address.Family, held: ReadonlyArray<Address.Address>): Address.Address | undefined {
    if (this.claimant.uid === "" || pool.cloud === undefined) return undefined
    const found = this.book
      .viewOf(pool)
      ?.addresses.filter(({ id }) => !this.book.returning.has(id))
      .find((each) => each.family === family && (this.isBought(each) || this.isPromoted(each)))
    if (found === undefined) return undefined
    const kept = held.find((address) => FloatingAddress.contains(found.network, address))
    return kept ?? FloatingAddress.hostOf(found.network, pool.cloud.ipv6Suffix)
  }

  /** What is neither labelled nor called as what is bought is its user's, whatever pool it is granted by. */
  ownershipIn(pool: Pool, found: CloudAddress): CloudClaim.Ownership {
    const isPurchase = this.isBought(found) || found.name.startsWith(CloudClaim.namePrefix)
    return pool.kind === "EphemeralIPPool" && isPurchase ? "created" : "adopted"
  }

  /** It says whose it is. */
  isMarked(found: CloudAddress, pool: Pool): boolean {
    const wanted = CloudClaim.labelsOf(this.claimOf(found.family), this.ownershipIn(pool, found))
    return Object.entries(wanted).every(([key, value]) => found.labels[key] === value)
  }

  /** We may return it: bought for this claim, or by v0.4 for the Service whose IPAllocation names it. */
  isOurs(found: CloudAddress): boolean {
    return this.isBought(found) || isOfV04(found)
  }

  serverOf(pool: Pool, node: string): CloudServer | undefined {
    const resolution = this.book.viewOf(pool)?.resolutions.get(node)
    return resolution?.type === "server" ? resolution.server : undefined
  }

  /**
   * Whether the node can get it. `more`: what else is just being given to the node, and stands nowhere yet.
   */
  barTo(pool: Pool, node: string, address: Address.Address, more: number): "unsuited" | "full" | undefined {
    if (!this.maySuit(pool, node, address)) return "unsuited"
    const room = this.roomOn(pool, node, address)
    const isFull = room !== undefined && ServerRoom.isFull(room, this.book.addressesOn(node), more)
    return isFull ? "full" : undefined
  }

  /** Whether the node, which was to have it, can: its server may have got as many others meanwhile by other hands. */
  mayStayOn(pool: Pool, node: string, address: Address.Address): boolean {
    const room = this.roomOn(pool, node, address)
    return this.maySuit(pool, node, address) && !(room !== undefined && ServerRoom.isCrowdedOut(room))
  }

  private roomOn(pool: Pool, node: string, address: Address.Address) {
    const view = pool.cloud && this.book.viewOf(pool)
    const server = this.serverOf(pool, node)?.id
    if (view === undefined || server === undefined) return undefined
    return { addresses: view.addresses, server, address, max: view.project.addressesPerServerMax }
  }

  /**
   * False: nothing can be routed to the node. What is not known yet speaks against nobody. That its server was off when the
   * list was read, a minute ago perhaps, speaks against a node only where it has no lease, which speaks for it.
   */
  private maySuit(pool: Pool, node: string, address: Address.Address): boolean {
    const { cloud } = pool
    const view = this.book.viewOf(pool)
    if (cloud === undefined || view === undefined) return true
    const server = this.serverOf(pool, node)
    if (server === undefined) return false
    if (pool.interfaceName === undefined && (server.state === "off" || server.state === "gone")) return false
    if (!server.families.has(Address.familyOf(address))) return false
    const home = this.find(pool, { address })?.home
    if (home === undefined || cloud.localityPolicy === "preferred") return true
    return cloud.localityPolicy === "sameZone"
      ? home.zone === server.place.zone
      : home.location === server.place.location
  }

  /** How far the node is from the address's home: 0 the same location, 1 the same network zone, 2 elsewhere. */
  distance(pool: Pool, node: string, address: Address.Address): number {
    const home = this.find(pool, { address })?.home
    const place = this.serverOf(pool, node)?.place
    if (home === undefined || place === undefined || home.location === place.location) return 0
    return home.zone === place.zone ? 1 : 2
  }

  route(pool: Pool, entry: Entry): Route {
    const found = this.find(pool, entry)
    const server = entry.node === undefined ? undefined : this.serverOf(pool, entry.node)
    if (found === undefined || server === undefined || this.obstacle(pool, entry) !== undefined) return "unknown"
    const isThere = found.server === server.id && !this.book.underWay.has(found.id)
    return isThere && this.isMarked(found, pool) ? "inPlace" : "elsewhere"
  }

  /** As the provider was told; undefined: nothing is known of the address. */
  reverseNameOf(pool: Pool, entry: Entry): string | undefined {
    const found = this.find(pool, entry)
    return found && (found.reverseNames[entry.address] ?? "")
  }

  /** Why the address cannot be routed, whatever we do. */
  obstacle(pool: Pool, { address, cloudId }: Pick<Entry, "address" | "cloudId">): Lack | undefined {
    const view = this.book.viewOf(pool)
    if (view === undefined) return undefined
    const found = this.find(pool, { address, cloudId })
    const unread = found === undefined ? unreadableFor(view.unreadable, { address, cloudId }) : undefined
    if (unread !== undefined) return unreadableLack(pool, address, unread)
    if (found === undefined && view.deleted.has(address)) return deletedLack(pool, address)
    if (found === undefined) {
      return {
        reason: "CloudAddressMissing",
        message:
          `pool ${pool.name}: the cloud project of its token has no address ${address}. ` +
          "Correct spec.addresses, or use the token of the project that has it."
      }
    }
    const called = `${address} (${found.name}, id ${found.id})`
    if (found.isBlocked) {
      return {
        reason: "CloudAddressBlocked",
        message: `the provider has blocked ${called}: no packet reaches it. Ask the provider why, or use another.`
      }
    }
    if (isOfAnotherCluster(found, this.book.cluster)) {
      return {
        reason: "CloudAddressOfAnotherCluster",
        message: `${called} is used by another cluster (label cluster=${found.labels[clusterLabel] ?? ""}). Use another.`
      }
    }
    const holder = this.book.holderOf(found.labels[claimLabel] ?? "")
    if (holder !== undefined && found.labels[claimLabel] !== this.claimant.uid) {
      return {
        reason: "CloudAddressHeld",
        message: `${called} is routed as a whole, and serves ${holder}. One Service can have it: use another.`
      }
    }
    return this.strangersServer(view, found, called)
  }

  /** What somebody routed to a machine that is none of the cluster's nodes is theirs, until we have it. */
  private strangersServer(view: ProjectView, found: CloudAddress, called: string): Lack | undefined {
    const { labels, server } = found
    if (server === undefined || labels[clusterLabel] === this.book.cluster || isOfV04(found)) return undefined
    return this.book.nodeOf(view, server) === undefined
      ? {
          reason: "CloudAddressInUse",
          message:
            `${called} is assigned to server ${server}, which is no Node of this cluster. ` +
            "Unassign it there, or use another."
        }
      : undefined
  }
}
