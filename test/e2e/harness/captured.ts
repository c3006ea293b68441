/**
 * What a capture at the bridge's ports proves of who held an address, and when. Pure. Every frame is seen at the port of the
 * node that sent it, or that it was sent to, with the time of one clock.
 *
 * - `answer`: a reply to "who has", or an announcement: ARP (RFC 826, 5227), neighbour advertisement (RFC 4861 4.4).
 * - `accept`: a numbered datagram to the address went to the node, and the node sent the reply; the time is the former's.
 *
 * Frames are those of `LINUX_SLL2` in the file format of libpcap, in the machine's byte order (little endian).
 */
export interface Evidence {
  readonly atMillis: number
  /** Last byte of the hardware address of the node's network card, which has its number. */
  readonly port: number
  readonly address: string
  readonly kind: "answer" | "accept"
}

interface Frame {
  readonly atMillis: number
  readonly etherType: number
  readonly ifindex: number
  /** As the port sees it: from the node, or to it. */
  readonly isFromNode: boolean
  readonly payload: Buffer
}

const FILE_HEADER_BYTES = 24
const RECORD_HEADER_BYTES = 16
const SLL2_BYTES = 20
const OUTGOING = 4
const ARP = 0x0806
const IPV4 = 0x0800
const IPV6 = 0x86dd
const NANOSECONDS = 0xa1b23c4d

const framesOf = function* (file: Buffer): Generator<Frame> {
  const fraction = file.readUInt32LE(0) === NANOSECONDS ? 1e6 : 1e3
  let at = FILE_HEADER_BYTES
  while (at + RECORD_HEADER_BYTES <= file.length) {
    const length = file.readUInt32LE(at + 8)
    const record = file.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length)
    const atMillis = file.readUInt32LE(at) * 1000 + file.readUInt32LE(at + 4) / fraction
    at += RECORD_HEADER_BYTES + length
    if (record.length < SLL2_BYTES) continue
    yield {
      atMillis,
      etherType: record.readUInt16BE(0),
      ifindex: record.readUInt32BE(4),
      isFromNode: record.readUInt8(10) !== OUTGOING,
      payload: record.subarray(SLL2_BYTES)
    }
  }
}

const address4 = (bytes: Buffer): string => [...bytes].join(".")
/** Comparable, not canonical. */
export const address6 = (bytes: Buffer): string => bytes.toString("hex").replaceAll(/(....)(?=.)/g, "$1:")

/** Of an ARP packet for Ethernet and IPv4: who says to have the address. */
const answeredByArp = (packet: Buffer): string | undefined => {
  if (packet.length < 28) return undefined
  const sender = address4(packet.subarray(14, 18))
  const isReply = packet.readUInt16BE(6) === 2
  return isReply || sender === address4(packet.subarray(24, 28)) ? sender : undefined
}

const UDP = 17
const ICMPV6 = 58
const ADVERTISEMENT = 136

interface Datagram {
  readonly source: string
  readonly destination: string
  readonly protocol: number
  readonly body: Buffer
}

const datagramOf = (etherType: number, packet: Buffer): Datagram | undefined => {
  if (etherType === IPV4 && packet.length >= 20) {
    return {
      source: address4(packet.subarray(12, 16)),
      destination: address4(packet.subarray(16, 20)),
      protocol: packet.readUInt8(9),
      body: packet.subarray((packet.readUInt8(0) & 15) * 4)
    }
  }
  if (etherType !== IPV6 || packet.length < 40) return undefined
  return {
    source: address6(packet.subarray(8, 24)),
    destination: address6(packet.subarray(24, 40)),
    protocol: packet.readUInt8(6),
    body: packet.subarray(40)
  }
}

/** Port of the client and number of the probe; what is no probe of ours has no number at its end. */
const numberIn = (body: Buffer, isReply: boolean): string | undefined => {
  const number = /\d+$/.exec(body.subarray(8).toString("latin1"))?.[0]
  return number === undefined ? undefined : `${body.readUInt16BE(isReply ? 2 : 0)} ${number}`
}

/** In the order of their times, of these addresses; `portOf` knows a node's port by its interface's number in the capture. */
export const evidenceIn = (
  file: Buffer,
  addresses: ReadonlySet<string>,
  portOf: (ifindex: number) => number | undefined
): ReadonlyArray<Evidence> => {
  const found: Array<Evidence> = []
  const asked = new Map<string, number>()
  for (const { atMillis, etherType, ifindex, isFromNode, payload } of framesOf(file)) {
    const port = portOf(ifindex)
    if (port === undefined) continue
    if (etherType === ARP) {
      const address = isFromNode ? answeredByArp(payload) : undefined
      if (address !== undefined && addresses.has(address)) found.push({ atMillis, port, address, kind: "answer" })
      continue
    }
    const datagram = datagramOf(etherType, payload)
    if (datagram === undefined) continue
    const { body, destination, protocol, source } = datagram
    if (protocol === ICMPV6 && isFromNode && body.length >= 24 && body.readUInt8(0) === ADVERTISEMENT) {
      const address = address6(body.subarray(8, 24))
      if (addresses.has(address)) found.push({ atMillis, port, address, kind: "answer" })
    }
    if (protocol !== UDP || body.length < 8) continue
    const address = isFromNode ? source : destination
    const number = numberIn(body, isFromNode)
    if (!addresses.has(address) || number === undefined) continue
    const key = `${port} ${address} ${number}`
    if (!isFromNode) asked.set(key, atMillis)
    const askedAt = asked.get(key)
    if (isFromNode && askedAt !== undefined) found.push({ atMillis: askedAt, port, address, kind: "accept" })
  }
  return found.toSorted((left, right) => left.atMillis - right.atMillis)
}

export interface Holding {
  readonly port: number
  readonly firstMillis: number
  readonly lastMillis: number
}

/** Of one address: each node's first and last evidence, in the order of the first. */
export const holdingsOf = (evidence: ReadonlyArray<Evidence>): ReadonlyArray<Holding> => {
  const holdings = new Map<number, Holding>()
  for (const { atMillis, port } of evidence) {
    const { firstMillis = atMillis, lastMillis = atMillis } = holdings.get(port) ?? {}
    holdings.set(port, {
      port,
      firstMillis: Math.min(firstMillis, atMillis),
      lastMillis: Math.max(lastMillis, atMillis)
    })
  }
  return [...holdings.values()].toSorted((left, right) => left.firstMillis - right.firstMillis)
}

/** For how long two nodes held it: from the first evidence of the later to the last of the earlier one. */
export const overlapMillis = (evidence: ReadonlyArray<Evidence>): number => {
  const holdings = holdingsOf(evidence)
  return holdings.reduce((most, { firstMillis }, index) => {
    const before = holdings.slice(0, index).map(({ lastMillis }) => lastMillis - firstMillis)
    return Math.max(most, ...before, 0)
  }, 0)
}
