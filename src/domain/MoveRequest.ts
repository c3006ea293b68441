/**
 * What a person asks of an IPAllocation by `loadbalancing.plenus.io/move-to`: a comma list of `ADDRESS=NODE@EPOCH`. It speaks
 * of the holder of that epoch and of no later one, so that it is done once, needs no clearing away, and says nothing any more
 * when the address has moved meanwhile for another reason.
 */
import { Result } from "effect"
import { type Address, parse as parseAddress } from "./Address.ts"
import type { Entry } from "./Hold.ts"

export interface MoveRequest {
  readonly address: Address
  readonly node: string
  /** Of the holder that is to be left. */
  readonly epoch: number
}

/** What cannot be read asks for nothing. */
export const parse = (text: string): ReadonlyArray<MoveRequest> =>
  text.split(",").flatMap((each) => {
    const found = /^([^=@]+)=([^=@]+)@(\d{1,15})$/.exec(each.trim())
    if (found === null) return []
    const [, written = "", node = "", epoch = ""] = found
    const address = parseAddress(written)
    return Result.isFailure(address) ? [] : [{ address: address.success, node, epoch: Number(epoch) }]
  })

export const format = (requests: ReadonlyArray<MoveRequest>): string =>
  requests.map(({ address, epoch, node }) => `${address}=${node}@${epoch}`).join(",")

/** The node that the entry is asked to go to; undefined: none, or it is done. */
export const targetOf = (requests: ReadonlyArray<MoveRequest>, entry: Entry | undefined): string | undefined =>
  requests.find(
    ({ address, epoch, node }) => address === entry?.address && epoch === entry.epoch && node !== entry.node
  )?.node
