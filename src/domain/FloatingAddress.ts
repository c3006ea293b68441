/** Between what a provider routes (one IPv4 address, or an IPv6 network) and the address of a Service within it. */
import { Result } from "effect"
import * as Address from "./Address.ts"
import * as AddressRange from "./AddressRange.ts"

const firstHost = Address.fromBigInt("IPv6", 1n)

/** Written as `::1`; anything else counts as that. */
export const suffixOf = (text: string): Address.Address => Result.getOrElse(Address.parse(text), () => firstHost)

const rangeOf = (network: string): AddressRange.AddressRange | undefined =>
  Result.getOrElse(AddressRange.parse(network), () => undefined)

/** The address to use of what was bought; undefined: its network cannot be read. */
export const hostOf = (network: string, suffix: Address.Address): Address.Address | undefined => {
  const range = rangeOf(network)
  if (range === undefined) return undefined
  const host = range.family === "IPv6" && range.first !== range.last ? Address.toBigInt(suffix) : 0n
  return Address.fromBigInt(range.family, range.first | host)
}

export const contains = (network: string, address: Address.Address): boolean => {
  const isIPv4 = Address.familyOf(address) === "IPv4"
  if (network.includes(":") === isIPv4) return false
  // One IPv4 address, which can be written in one way only: most of what is asked for every address of a project.
  if (isIPv4 && !/[/-]/.test(network)) return network === address
  const range = rangeOf(network)
  if (range === undefined) return false
  const value = Address.toBigInt(address)
  return range.first <= value && value <= range.last
}

/** Whether any address of the network is in one of the ranges. */
export const isListed = (ranges: ReadonlyArray<AddressRange.AddressRange>, network: string): boolean => {
  const routed = rangeOf(network)
  return routed !== undefined && ranges.some((range) => AddressRange.overlaps(range, routed))
}
