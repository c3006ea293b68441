/**
 * Whose each address is: what IPAllocations claim, what writes under way have reserved, and the ground on which they stand, the
 * pools and the cluster's own networks.
 */
import type { Address } from "../domain/Address.ts"
import * as AddressIndex from "../domain/AddressIndex.ts"
import type * as Pool from "../domain/Pool.ts"
import type { Reserved } from "../domain/PoolConflicts.ts"
import { keyOf } from "../reconcile/Reflector.ts"
import { Claims, type RecordedClaim } from "./Claims.ts"

export interface Options {
  readonly pools: () => ReadonlyArray<Pool.Pool>
  /** Services to look at again, because of what happened to another's claim. */
  readonly wake: (keys: Iterable<string>) => void
  /** Nobody has it any more. By the pool that lists it by now, or by the one that had granted it. */
  readonly onFree: (address: Address, pool: string) => void
}

const sameClaim = (a: AddressIndex.Claim, b: AddressIndex.Claim): boolean =>
  AddressIndex.isSame(a, b) && a.pool === b.pool

export class AddressBook {
  readonly claims = new Claims()
  private knownIndex: AddressIndex.AddressIndex = AddressIndex.make({ pools: [], reserved: [] })
  /** Pools or the cluster's own networks are others than those of `knownIndex`. */
  private isGroundChanged = false
  private readonly reservedBySource = new Map<string, ReadonlyArray<Reserved>>()
  /** Made by writes that are under way. */
  private readonly reservations = new Map<Address, AddressIndex.Claim>()
  private readonly options: Options

  constructor(options: Options) {
    this.options = options
  }

  /** Rebuilt when it is read: a list of all nodes changes the ground with each of them, and each time all claims are gone through. */
  get index(): AddressIndex.AddressIndex {
    if (this.isGroundChanged) {
      this.isGroundChanged = false
      this.knownIndex = AddressIndex.withGround(this.knownIndex, {
        pools: this.options.pools(),
        reserved: [...this.reservedBySource.values()].flat()
      })
    }
    return this.knownIndex
  }

  private set index(index: AddressIndex.AddressIndex) {
    this.knownIndex = index
  }

  onPools(): void {
    this.isGroundChanged = true
  }

  /** Sets what of the cluster's own this source names; true when that changed anything. */
  onReserved(source: string, after: ReadonlyArray<Reserved>): boolean {
    const before = this.reservedBySource.get(source) ?? []
    if (JSON.stringify(before, bigints) === JSON.stringify(after, bigints)) return false
    if (after.length === 0) this.reservedBySource.delete(source)
    else this.reservedBySource.set(source, after)
    this.isGroundChanged = true
    return true
  }

  /** Named by an entry that has left, an address is known by the pool that lists it. */
  poolOf(address: Address): string {
    return AddressIndex.claimOf(this.index, address)?.pool ?? this.listedBy(address) ?? ""
  }

  private listedBy(address: Address): string | undefined {
    const owner = AddressIndex.ownerOf(this.index, address)
    return owner?._tag === "Pool" ? owner.pool.name : undefined
  }

  /** A claim for what is about to be written, so that no other Service is granted it meanwhile. False: it is taken. */
  reserve(address: Address, claim: AddressIndex.Claim): boolean {
    const claimed = this.claim(address, claim)
    if (claimed) this.reservations.set(address, claim)
    return claimed
  }

  /** Takes a reservation back; what IPAllocations claim by now stands. */
  release(address: Address, claimant: AddressIndex.Claimant): void {
    const reservation = this.reservations.get(address)
    if (reservation === undefined || !AddressIndex.isSame(reservation, claimant)) return
    this.reservations.delete(address)
    this.contest(address)
    this.announceFree(address, reservation.pool)
  }

  /** Takes back what is reserved for this Service: no write for it is under way. */
  releaseOf(key: string): void {
    for (const [address, claim] of this.reservations) if (keyOf(claim) === key) this.release(address, claim)
  }

  /** Of Services for which something is reserved. */
  reservingKeys(): Iterable<string> {
    return [...this.reservations.values()].map(keyOf)
  }

  /** Takes the place of what was reserved for it. To be settled with the others of its IPAllocation. */
  record(address: Address, claim: RecordedClaim): void {
    this.claims.set(address, claim)
    const reservation = this.reservations.get(address)
    if (reservation !== undefined && AddressIndex.isSame(reservation, claim)) this.reservations.delete(address)
  }

  /** What cannot be read says nothing of pools: it counts in the one that lists the address, which may be known later. */
  nameUnread(address: Address): void {
    const claim = this.claims.winner(address)
    const pool = this.listedBy(address)
    if (claim?.pool !== "" || pool === undefined) return
    this.claims.set(address, { ...claim, pool })
    this.contest(address)
  }

  /** The claims of an IPAllocation, after they went from `before` to what is recorded now. */
  settle(key: string, before: ReadonlyArray<Address>, now: ReadonlyArray<Address>): void {
    for (const address of before) {
      if (now.includes(address)) continue
      this.claims.delete(address, key)
      const { pool } = AddressIndex.claimOf(this.index, address) ?? { pool: "" }
      this.contest(address)
      this.options.wake(this.claims.keysOf(address))
      this.announceFree(address, pool)
    }
    for (const address of now) this.contest(address)
  }

  /** The index holds the claim of the winner, or a reservation while no IPAllocation claims the address. */
  private contest(address: Address): void {
    const due = this.claims.winner(address) ?? this.reservations.get(address)
    const present = AddressIndex.claimOf(this.index, address)
    if (present !== undefined && (due === undefined || !sameClaim(present, due))) {
      this.index = AddressIndex.release(this.index, address, present)
    }
    if (due !== undefined && (present === undefined || !sameClaim(present, due))) this.claim(address, due)
    const claimants = [...this.claims.keysOf(address)]
    if (claimants.length > 1) this.options.wake(claimants)
  }

  private claim(address: Address, { name, namespace, pool, uid }: AddressIndex.Claim): boolean {
    const claimed = AddressIndex.claim(this.index, address, { name, namespace, pool, uid })
    if (claimed._tag === "Success") this.index = claimed.success
    return claimed._tag === "Success"
  }

  private announceFree(address: Address, granter: string): void {
    if (AddressIndex.claimOf(this.index, address) !== undefined) return
    this.options.onFree(address, this.listedBy(address) ?? granter)
  }
}

const bigints = (_key: string, value: unknown): unknown => (typeof value === "bigint" ? value.toString() : value)
