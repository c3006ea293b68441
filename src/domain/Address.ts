/**
 * An address in canonical form: dotted quad, or RFC 5952 lower case. Two spellings of one address are one value, so an
 * `Address` may be compared and used as a key as it is.
 *
 * Refused, because somebody would read it differently than it was meant: leading zeros (octal in some C libraries), zone
 * ids (they name an interface of one machine), IPv4 written as IPv6 (`::ffff:192.0.2.1` is another key for 192.0.2.1).
 */
import { Order, Result } from "effect"
import type { Brand } from "effect"
import * as NetAddress from "effect/net/NetAddress"

export type Address = string & Brand.Brand<"plenuslb/Address">

export type Family = "IPv4" | "IPv6"

export const families: ReadonlyArray<Family> = ["IPv4", "IPv6"]

const bitsOf = { IPv4: 32, IPv6: 128 } as const

export const widthOf = (family: Family): 32 | 128 => bitsOf[family]

/** The IPv4 ones, and the IPv6 ones. */
export const byFamily = (
  addresses: ReadonlyArray<Address>
): readonly [ReadonlyArray<Address>, ReadonlyArray<Address>] => [
  addresses.filter((address) => familyOf(address) === "IPv4"),
  addresses.filter((address) => familyOf(address) === "IPv6")
]

const octet = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
/** What is canonical as it stands: nearly all that is read. */
const canonicalIPv4 = new RegExp(`^${octet}(\\.${octet}){3}$`)

/** The failure is a sentence that says what to write instead. */
export const parse = (text: string): Result.Result<Address, string> => {
  if (canonicalIPv4.test(text)) return Result.succeed(text as Address)
  const misread = misreadable(text)
  if (misread !== undefined) return Result.fail(misread)
  const parsed = NetAddress.ipFromString(text)
  if (Result.isFailure(parsed)) {
    return Result.fail(
      `"${text}" is not an IP address (${parsed.failure.message}). Write it like 192.0.2.10 or 2001:db8::10.`
    )
  }
  const address = parsed.success
  if (NetAddress.isIpv6Address(address) && NetAddress.isIpv4Mapped(address)) {
    const plain = NetAddress.formatIp(address).slice("::ffff:".length)
    return Result.fail(`"${text}" is an IPv4 address written as IPv6. Write ${plain}.`)
  }
  return Result.succeed(canonical(address))
}

/** What is an address in some notation, only not in one that all programs read alike. */
const misreadable = (text: string): string | undefined => {
  const zone = text.indexOf("%")
  if (zone >= 0) {
    return `"${text}" has a zone id, which means something on one machine only. Write ${text.slice(0, zone)}.`
  }
  if (/^\d+(\.\d+){3}$/.test(text) && /(^|\.)0\d/.test(text)) {
    const plain = text.replace(/(^|\.)0+(?=\d)/g, "$1")
    return `"${text}" has leading zeros, which some programs read as octal. Write ${plain} if that is meant.`
  }
  return text.includes("/") ? `"${text}" is a network, not an address. Write one address, without "/".` : undefined
}

const canonical = (address: NetAddress.IpAddress): Address => NetAddress.formatIp(address) as Address

export const familyOf = (address: Address): Family => (address.includes(":") ? "IPv6" : "IPv4")

/** Of an IPv4 address, whose canonical form needs no parser. */
const toNumber = (address: Address): number => {
  let value = 0
  for (const part of address.split(".")) value = value * 256 + Number(part)
  return value
}

export const toBigInt = (address: Address): bigint => {
  if (familyOf(address) === "IPv4") return BigInt(toNumber(address))
  const segments = NetAddress.ipv6ToSegments(Result.getOrThrow(NetAddress.ipv6FromString(address)))
  return segments.reduce((sum, segment) => (sum << 16n) | BigInt(segment), 0n)
}

/** Total: bits above the family's width are cut off. */
export const fromBigInt = (family: Family, value: bigint): Address => {
  if (family === "IPv4") {
    const number = Number(BigInt.asUintN(32, value))
    return [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255].join(".") as Address
  }
  const hex = BigInt.asUintN(128, value).toString(16).padStart(32, "0")
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
  return canonical(NetAddress.ipv6FromBytesUnsafe(bytes))
}

/** 8 or 32 lower-case characters, fit for a label name, where colons are not allowed. */
export const toHex = (address: Address): string =>
  familyOf(address) === "IPv4"
    ? toNumber(address).toString(16).padStart(8, "0")
    : toBigInt(address).toString(16).padStart(32, "0")

/** IPv4 before IPv6, then by value. */
export const order: Order.Order<Address> = Order.combine(
  Order.mapInput(Order.String, familyOf),
  Order.mapInput(Order.BigInt, toBigInt)
)
