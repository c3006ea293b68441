/**
 * A run of addresses of one family, both ends included. Written as one address, as a CIDR or as `start-end`; a CIDR with
 * host bits is refused, since half of those who write 192.0.2.17/28 mean the network and half the one address.
 */
import { Order, Result } from "effect"
import * as Address from "./Address.ts"

export interface AddressRange {
  readonly family: Address.Family
  readonly first: bigint
  readonly last: bigint
}

/** The failure is a sentence that says what to write instead. */
export const parse = (text: string): Result.Result<AddressRange, string> => {
  if (text.includes("/")) return parseCidr(text)
  if (text.includes("-")) return parseStartEnd(text)
  return Result.map(Address.parse(text), single)
}

export const single = (address: Address.Address): AddressRange => {
  const value = Address.toBigInt(address)
  return { family: Address.familyOf(address), first: value, last: value }
}

const parseCidr = (text: string): Result.Result<AddressRange, string> => {
  const slash = text.indexOf("/")
  const parsed = Address.parse(text.slice(0, slash))
  if (Result.isFailure(parsed)) return Result.fail(`The network "${text}": ${parsed.failure}`)
  const family = Address.familyOf(parsed.success)
  const width = Address.widthOf(family)
  const digits = text.slice(slash + 1)
  if (!/^(0|[1-9]\d{0,2})$/.test(digits) || Number(digits) > width) {
    return Result.fail(`"${text}" has no prefix length of ${family}. Write a number from 0 to ${width} after "/".`)
  }
  const first = Address.toBigInt(parsed.success)
  const hostMask = (1n << BigInt(width - Number(digits))) - 1n
  if ((first & hostMask) !== 0n) {
    const network = `${Address.fromBigInt(family, first & ~hostMask)}/${digits}`
    return Result.fail(
      `"${text}" has host bits. Write ${network} for the network, or ${parsed.success} for the one address.`
    )
  }
  return Result.succeed({ family, first, last: first | hostMask })
}

const parseStartEnd = (text: string): Result.Result<AddressRange, string> => {
  const dash = text.indexOf("-")
  const start = Address.parse(text.slice(0, dash))
  if (Result.isFailure(start)) return Result.fail(`The start of the range "${text}": ${start.failure}`)
  const end = Address.parse(text.slice(dash + 1))
  if (Result.isFailure(end)) return Result.fail(`The end of the range "${text}": ${end.failure}`)
  const first = single(start.success)
  const last = single(end.success)
  if (first.family !== last.family) {
    return Result.fail(`"${text}" begins as ${first.family} and ends as ${last.family}. Write a range for each.`)
  }
  if (first.first > last.first) {
    return Result.fail(`"${text}" ends before it begins. Write ${end.success}-${start.success}.`)
  }
  return Result.succeed({ family: first.family, first: first.first, last: last.first })
}

/** The shortest of the three notations that means this range. */
export const format = (range: AddressRange): string => {
  const first = Address.fromBigInt(range.family, range.first)
  if (range.first === range.last) return first
  const count = size(range)
  const hostBits = count.toString(2).length - 1
  const isCidr = count === 1n << BigInt(hostBits) && range.first % count === 0n
  return isCidr
    ? `${first}/${Address.widthOf(range.family) - hostBits}`
    : `${first}-${Address.fromBigInt(range.family, range.last)}`
}

export const contains = (range: AddressRange, address: Address.Address): boolean =>
  range.family === Address.familyOf(address) && containsValue(range, Address.toBigInt(address))

/** For callers that know the family to be the same. */
export const containsValue = (range: AddressRange, value: bigint): boolean =>
  range.first <= value && value <= range.last

export const overlaps = (a: AddressRange, b: AddressRange): boolean =>
  a.family === b.family && a.first <= b.last && b.first <= a.last

export const size = (range: AddressRange): bigint => range.last - range.first + 1n

/** By family, start, end. */
export const order: Order.Order<AddressRange> = Order.combineAll([
  Order.mapInput(Order.String, (range: AddressRange) => range.family),
  Order.mapInput(Order.BigInt, (range: AddressRange) => range.first),
  Order.mapInput(Order.BigInt, (range: AddressRange) => range.last)
])

/** Sorted, disjoint, neighbours joined: the same set of addresses in its one normal form. O(n log n). */
export const merge = (ranges: ReadonlyArray<AddressRange>): ReadonlyArray<AddressRange> => {
  const merged: Array<AddressRange> = []
  for (const range of ranges.toSorted(order)) {
    const before = merged.at(-1)
    if (before !== undefined && before.family === range.family && range.first <= before.last + 1n) {
      if (range.last > before.last) merged[merged.length - 1] = { ...before, last: range.last }
    } else {
      merged.push(range)
    }
  }
  return merged
}

/** The range of a sorted, disjoint list that holds this address. O(log n). */
export const find = <R extends AddressRange>(sorted: ReadonlyArray<R>, address: Address.Address): R | undefined => {
  const wanted = single(address)
  let low = 0
  let high = sorted.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const range = sorted[middle]
    if (range === undefined) return undefined
    if (overlaps(range, wanted)) return range
    if (order(range, wanted) < 0) low = middle + 1
    else high = middle - 1
  }
  return undefined
}

const unusableRanges: ReadonlyArray<readonly [string, string]> = [
  ["0.0.0.0", "the unspecified address"],
  ["127.0.0.0/8", "loopback addresses"],
  ["169.254.0.0/16", "link-local addresses"],
  ["224.0.0.0/4", "multicast addresses"],
  ["255.255.255.255", "the broadcast address"],
  ["::", "the unspecified address"],
  ["::1", "the loopback address"],
  ["fe80::/10", "link-local addresses"],
  ["ff00::/8", "multicast addresses"]
]

const unusableParsed = unusableRanges.map(([text, what]) => ({ range: Result.getOrThrow(parse(text)), what }))

/** Which addresses of this range no Service can have: what Kubernetes refuses as `externalIPs`, and the broadcast. */
export const unusable = (range: AddressRange): string | undefined =>
  unusableParsed.find((special) => overlaps(special.range, range))?.what
