/** The fence of one kernel in memory. Synchronous; time is what the caller says it is by this kernel's clock. */
import type { Address } from "../../domain/Address.ts"
import { type FenceNonce, FenceRefused, type FenceState, type FenceWrite } from "../../ports/KernelFence.ts"

interface Table {
  owner: FenceNonce
  ticket: { readonly nonce: FenceNonce; readonly untilMillis: number } | undefined
  managed: ReadonlySet<Address>
  /** By this kernel's clock, until when. */
  leased: ReadonlyMap<Address, number>
  uplinks: ReadonlySet<string>
  /** Written to since it was made. */
  isFilled: boolean
}

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
            leased: new Map(),
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
    const { apart, managed, owner, ticket, uplinks } = write
    const { table } = this
    if (table === undefined) return new FenceRefused({ why: "NoTable" })
    if (table.owner !== owner) return new FenceRefused({ why: "OtherOwner", owner: table.owner })
    if (ticketAt(table, nowMillis) !== ticket) return new FenceRefused({ why: "TicketExpired" })
    this.table = {
      owner,
      ticket: undefined,
      managed: new Set(managed),
      leased: new Map([write, ...(apart === undefined ? [] : [apart])].flatMap((each) => untilsIn(each, nowMillis))),
      uplinks: new Set(uplinks),
      isFilled: true
    }
  }

  state(nowMillis: number): FenceState | undefined {
    const { table } = this
    if (table === undefined) return undefined
    return {
      owner: table.owner,
      ticket: ticketAt(table, nowMillis),
      managed: [...table.managed],
      leased: [...table.leased].flatMap(([address, untilMillis]) => (nowMillis < untilMillis ? [address] : [])),
      uplinks: [...table.uplinks]
    }
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
    return nowMillis >= (table.leased.get(address) ?? Number.NEGATIVE_INFINITY)
  }

  /** When, by this kernel's clock, the first of what is leased now runs out; undefined: nothing is. */
  expiryMillis(nowMillis: number): number | undefined {
    const untils = [...(this.table?.leased.values() ?? [])].filter((untilMillis) => nowMillis < untilMillis)
    return untils.length === 0 ? undefined : Math.min(...untils)
  }
}

const untilsIn = ({ leased, leaseMillis }: Pick<FenceWrite, "leased" | "leaseMillis">, nowMillis: number) =>
  leased.map((address) => [address, nowMillis + leaseMillis] as const)

const ticketAt = ({ ticket }: Table, nowMillis: number): FenceNonce | undefined =>
  ticket !== undefined && nowMillis < ticket.untilMillis ? ticket.nonce : undefined
