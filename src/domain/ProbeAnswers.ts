/**
 * Who has an address, read from what a segment says while it is probed. Pure; what is no such message says nothing.
 * Lengths are not trusted: Ethernet pads short frames, and any host may send anything.
 */
import { type Address, fromBigInt } from "./Address.ts"

/** A machine that says it has the address, or is about to take it. */
export interface Claimant {
  readonly address: Address
  /** `02:00:5e:10:00:01`; `unknownMac` when it does not say. */
  readonly mac: string
}

export const unknownMac = "unknown"

/**
 * When the frames leave, after the first, and how long after it the last answer counts. RFC 5227 has three probes, one to
 * two seconds apart, and waits for two more: it is made for hosts whose link came up just now (a switch that still learns)
 * and for links of any kind. Here the link has been up for long, and a Service is waited for. A Linux host answers within
 * 1 ms (measured); 200 ms leave room for devices that are slow or busy, and two of three frames may be lost. Who is asleep
 * for longer is missed: it is found by what its users see, as with every load balancer.
 */
export const probeAtMillis: ReadonlyArray<number> = [0, 50, 100]
export const answerWithinMillis = 200

/**
 * Of an ARP packet without its Ethernet header (RFC 5227 section 2.1.1): request or reply, who names the address as its own
 * has it; and who probes for it is about to take it.
 */
export const arpClaimant = (packet: Uint8Array): Claimant | undefined => {
  if (packet.length < arpBytes || arpHead.some((byte, index) => packet[index] !== byte)) return undefined
  const mac = macOf(packet.subarray(8, 14))
  const sender = addressAt("IPv4", packet.subarray(14, 18))
  if (sender !== zero) return { address: sender, mac }
  return packet[7] === arpRequest ? { address: addressAt("IPv4", packet.subarray(24, 28)), mac } : undefined
}

/** Of an ICMPv6 message without its IPv6 header: a neighbour advertisement, RFC 4861 section 4.4. */
export const advertisementClaimant = (message: Uint8Array): Claimant | undefined => {
  if (message.length < advertisementBytes || message[0] !== neighborAdvertisement || message[1] !== 0) return undefined
  return { address: addressAt("IPv6", message.subarray(8, 24)), mac: targetMacOf(message.subarray(24)) }
}

const targetMacOf = (options: Uint8Array): string => {
  const [type, units = 0] = options
  if (type === targetLinkLayer && units === 1 && options.length >= 8) return macOf(options.subarray(2, 8))
  return units === 0 || options.length <= 8 * units ? unknownMac : targetMacOf(options.subarray(8 * units))
}

/** RFC 826: Ethernet, IPv4, their lengths, and the first byte of the operation. */
const arpHead = [0x00, 0x01, 0x08, 0x00, 6, 4, 0x00]
const arpBytes = 28
const arpRequest = 1
const zero = fromBigInt("IPv4", 0n)
const neighborAdvertisement = 136
const advertisementBytes = 24
/** Option 2, target link-layer address. */
const targetLinkLayer = 2

const hex = (bytes: Uint8Array): ReadonlyArray<string> => [...bytes].map((byte) => byte.toString(16).padStart(2, "0"))
const macOf = (bytes: Uint8Array): string => hex(bytes).join(":")
const addressAt = (family: "IPv4" | "IPv6", bytes: Uint8Array): Address =>
  fromBigInt(family, BigInt(`0x${hex(bytes).join("")}`))
