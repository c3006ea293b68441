/** The fence of one kernel in memory. Synchronous; time is what the caller says it is by this kernel's clock. */
import type { Address } from "../../domain/Address.ts"
import {
  type FenceNonce,
  FenceRefused,
  type FenceRenewal,
  type FenceState,
  type FenceWrite
} from "../../ports/KernelFence.ts"

/** What is leased together, and until when by this kernel's clock. */
interface Leased {
  readonly addresses: ReadonlySet<Address>
  readonly untilMillis: number
}

interface Table {
  owner: FenceNonce
  ticket: { readonly nonce: FenceNonce; readonly untilMillis: number } | undefined
  managed: ReadonlySet<Address>
  leased: Leased
  apart: Leased
  uplinks: ReadonlySet<string>
  /** Written to since it was made. */
  isFilled: boolean
}

const nothing: Leased = { addresses: new Set(), untilMillis: Number.NEGATIVE_INFINITY }

export class MemoryFence {
  private table: Table | undefined

  claim(owner: FenceNonce): void {
    const before = this.table
    this.table =
      before === undefined
        ? {
            owner,
            ticket: undefined,
            managed: new Set(),
            leased: nothing,
            apart: nothing,
            uplinks: new Set(),
            isFilled: false
          }
        : { ...before, owner, ticket: undefined }
  }

  putTicket(nonce: FenceNonce, lifeMillis: number, nowMillis: number): FenceRefused | void {
    if (this.table === undefined) return new FenceRefused({ why: "NoTable" })
    this.table.ticket = { nonce, untilMillis: nowMillis + lifeMillis }
  }

  write(write: FenceWrite, nowMillis: number): FenceRefused | void {
    const table = this.entered(write, nowMillis)
    if (table instanceof FenceRefused) return table
    table.managed = new Set(write.managed)
    table.leased = { ...nothing, addresses: new Set(write.leased) }
    table.apart = { ...nothing, addresses: new Set(write.apart) }
    table.uplinks = new Set(write.uplinks)
    table.isFilled = true
    prolong(table, write, nowMillis)
  }

  renew(renewal: FenceRenewal, nowMillis: number): FenceRefused | void {
    const table = this.entered(renewal, nowMillis)
    if (table instanceof FenceRefused) return table
    prolong(table, renewal, nowMillis)
  }

  state(nowMillis: number): FenceState | undefined {
    const { table } = this
    if (table === undefined) return undefined
    return {
      owner: table.owner,
      ticket: ticketAt(table, nowMillis),
      managed: [...table.managed],
      leased: leasesOf(table).flatMap(({ addresses, untilMillis }) => (nowMillis < untilMillis ? [...addresses] : [])),
      uplinks: [...table.uplinks]
    }
  }

  /** A foreign hand. */
  unmanage(address: Address): void {
    if (this.table === undefined) return
    this.table.managed = new Set([...this.table.managed].filter((each) => each !== address))
  }

  /** `nft flush ruleset`, or our own end. */
  remove(): void {
    this.table = undefined
  }

  /** False also for tables that were made anew and say nothing yet. */
  get isFilled(): boolean {
    return this.table?.isFilled === true
  }

  /** Whether nobody who comes by this interface gets an answer for the address, wherever it is. */
  blocks(address: Address, interfaceName: string, nowMillis: number): boolean {
    const { table } = this
    if (table === undefined || !table.managed.has(address) || !table.uplinks.has(interfaceName)) return false
    return !leasesOf(table).some(({ addresses, untilMillis }) => nowMillis < untilMillis && addresses.has(address))
  }

  /** When, by this kernel's clock, what is leased now runs out. */
  expiriesMillis(nowMillis: number): ReadonlyArray<number> {
    return (this.table === undefined ? [] : leasesOf(this.table)).flatMap(({ addresses, untilMillis }) =>
      nowMillis < untilMillis && addresses.size > 0 ? [untilMillis] : []
    )
  }

  /** The table for who may write to it, and its ticket used up. */
  private entered({ owner, ticket }: FenceRenewal, nowMillis: number): Table | FenceRefused {
    const { table } = this
    if (table === undefined) return new FenceRefused({ why: "NoTable" })
    if (table.owner !== owner) return new FenceRefused({ why: "OtherOwner", owner: table.owner })
    if (ticketAt(table, nowMillis) !== ticket) return new FenceRefused({ why: "TicketExpired" })
    table.ticket = undefined
    return table
  }
}

const leasesOf = ({ apart, leased }: Table): ReadonlyArray<Leased> => [leased, apart]

const prolong = (table: Table, { apartMillis = 0, leaseMillis }: FenceRenewal, nowMillis: number): void => {
  table.leased = { ...table.leased, untilMillis: nowMillis + leaseMillis }
  table.apart = { ...table.apart, untilMillis: nowMillis + apartMillis }
}

const ticketAt = ({ ticket }: Table, nowMillis: number): FenceNonce | undefined =>
  ticket !== undefined && nowMillis < ticket.untilMillis ? ticket.nonce : undefined
