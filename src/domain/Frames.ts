/**
 * Ethernet frames that tell the neighbours where an address now lives, or ask whether somebody has it. The kernel sends
 * none when an address is added; without the former a move costs 26-45 s until neighbour entries expire (measured), with
 * them the time on the wire.
 *
 * All frames are for the whole segment, carry the hardware address of the uplink, and have one length for each kind, so
 * that a sender may cut a byte stream into frames by length alone.
 */
import { Result } from "effect"
import { type Address, familyOf, toBigInt } from "./Address.ts"

export const gratuitousArpBytes = 42
export const arpProbeBytes = 42
export const neighborAdvertisementBytes = 86
export const neighborSolicitationBytes = 78

export const isMac = (text: string): boolean => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)

/** Six bytes of `02:00:5e:10:00:01`; a failure says what is wrong with it. */
export const parseMac = (text: string): Result.Result<Uint8Array, string> => {
  if (!isMac(text)) {
    return Result.fail(`"${text}" is no Ethernet address; expected six bytes such as 02:00:5e:10:00:01`)
  }
  return Result.succeed(Uint8Array.from(text.split(":"), (byte) => Number.parseInt(byte, 16)))
}

/** The frame of the address's family. */
export const announcement = (mac: Uint8Array, address: Address): Uint8Array =>
  familyOf(address) === "IPv4" ? gratuitousArp(mac, address) : unsolicitedNeighborAdvertisement(mac, address)

/**
 * ARP announcement, RFC 5227 section 3: a broadcast *request* whose sender and target protocol address are both the
 * address, target hardware address zero. A request and not a reply, because RFC 5227 section 3 notes that some stacks
 * take only requests.
 */
export const gratuitousArp = (mac: Uint8Array, address: Address): Uint8Array =>
  arpRequest(mac, addressBytes(address), address)

/** The frame of the address's family by which one asks whether somebody has it, without saying that one has it oneself. */
export const probe = (mac: Uint8Array, address: Address): Uint8Array =>
  familyOf(address) === "IPv4" ? arpProbe(mac, address) : duplicateAddressSolicitation(mac, address)

/**
 * ARP probe, RFC 5227 section 2.1.1: sender protocol address zero, so that nobody's neighbour table learns anything. Who
 * answers for addresses of others (proxy_arp of Linux) does not answer it: only the host that has the address.
 */
export const arpProbe = (mac: Uint8Array, address: Address): Uint8Array => arpRequest(mac, [0, 0, 0, 0], address)

const arpRequest = (mac: Uint8Array, sender: ReadonlyArray<number> | Uint8Array, target: Address): Uint8Array =>
  concat([
    broadcastMac,
    mac,
    [0x08, 0x06],
    // RFC 826: hardware type Ethernet, protocol type IPv4, their lengths, operation request.
    [0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01],
    mac,
    sender,
    zeroMac,
    addressBytes(target)
  ])

/**
 * Unsolicited neighbour advertisement, RFC 4861 sections 4.4 and 7.2.6: to all nodes, from the address itself, hop
 * limit 255 (receivers drop anything less), override set so that caches that know another hardware address change it.
 * Router and Solicited are clear: the address is a host's, and a clear Solicited is what makes it an announcement.
 */
export const unsolicitedNeighborAdvertisement = (mac: Uint8Array, address: Address): Uint8Array => {
  const ip = addressBytes(address)
  const message = concat([
    [icmpNeighborAdvertisement, 0, 0, 0],
    [flagOverride, 0, 0, 0],
    ip,
    // Option 2, target link-layer address, one unit of eight bytes.
    [2, 1],
    mac
  ])
  return icmpv6({ mac, source: ip, destination: allNodes, message })
}

/**
 * As in duplicate address detection, RFC 4862 section 5.4.2: a neighbour solicitation from the unspecified address to the
 * solicited-node group, without an option. The answer goes to all nodes, ff02::1.
 */
const duplicateAddressSolicitation = (mac: Uint8Array, address: Address): Uint8Array => {
  const ip = addressBytes(address)
  return icmpv6({
    mac,
    source: unspecified,
    destination: Uint8Array.of(...solicitedNodePrefix, ...ip.subarray(13)),
    message: concat([[icmpNeighborSolicitation, 0, 0, 0], [0, 0, 0, 0], ip])
  })
}

interface Icmpv6 {
  readonly mac: Uint8Array
  readonly source: Uint8Array
  /** A multicast group. */
  readonly destination: Uint8Array
  /** With a checksum of zero. */
  readonly message: Uint8Array
}

const icmpv6 = ({ destination, mac, message, source }: Icmpv6): Uint8Array => {
  const checksum = icmpv6Checksum(source, destination, message)
  message.set([checksum >> 8, checksum & 0xff], 2)
  return concat([
    // RFC 2464 section 7: 33:33 and the last four bytes of the group.
    [0x33, 0x33, ...destination.subarray(12)],
    mac,
    [0x86, 0xdd],
    // RFC 8200: version 6, payload length, next header ICMPv6, hop limit.
    [0x60, 0, 0, 0, 0, message.length, ipProtocolIcmpv6, 255],
    source,
    destination,
    message
  ])
}

/** RFC 4443 section 2.3 with the pseudo-header of RFC 8200 section 8.1; the checksum field of `message` must be zero. */
export const icmpv6Checksum = (
  source: ReadonlyArray<number> | Uint8Array,
  destination: ReadonlyArray<number> | Uint8Array,
  message: Uint8Array
): number => {
  const covered = concat([source, destination, [0, 0, 0, message.length, 0, 0, 0, ipProtocolIcmpv6], message])
  let sum = 0
  for (const [index, byte] of covered.entries()) sum += index % 2 === 0 ? byte << 8 : byte
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

const broadcastMac = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
const zeroMac = [0, 0, 0, 0, 0, 0]
/** ff02::1 */
const allNodes = Uint8Array.of(0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
/** ff02::1:ff00:0/104, RFC 4291 section 2.7.1. */
const solicitedNodePrefix = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff]
const unspecified = new Uint8Array(16)
const icmpNeighborSolicitation = 135
const icmpNeighborAdvertisement = 136
const flagOverride = 0x20
const ipProtocolIcmpv6 = 58

const addressBytes = (address: Address): Uint8Array => {
  const bytes = new Uint8Array(familyOf(address) === "IPv4" ? 4 : 16)
  let rest = toBigInt(address)
  for (let index = bytes.length - 1; index >= 0; index--) {
    bytes[index] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

const concat = (parts: ReadonlyArray<ReadonlyArray<number> | Uint8Array>): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]))
