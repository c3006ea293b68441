/**
 * Finds announcements in the bytes of a segment, one Ethernet frame after the other. Written from the RFCs and not from
 * `src/domain/Frames.ts`: it is what checks those frames. The checksum is verified over the whole frame.
 */
import { type Address, fromBigInt } from "../../../src/domain/Address.ts"
import type { Announcement } from "./World.ts"

export interface Read {
  readonly announcements: ReadonlyArray<Announcement>
  /** What does not make a whole frame yet. */
  readonly rest: Buffer
}

const etherTypeArp = 0x0806
const etherTypeIpv6 = 0x86dd

export const readFrames = (bytes: Buffer): Read => {
  const announcements: Array<Announcement> = []
  let rest = bytes
  for (let length = frameLength(rest); length !== undefined && length <= rest.length; length = frameLength(rest)) {
    const frame = rest.subarray(0, length)
    const found = frame.readUInt16BE(12) === etherTypeArp ? readArp(frame) : readAdvertisement(frame)
    if (found !== undefined) announcements.push(found)
    rest = rest.subarray(length)
  }
  return { announcements, rest }
}

/** No frame on a veth is padded, so that its length is in its headers. */
const frameLength = (bytes: Buffer): number | undefined => {
  if (bytes.length < 20) return undefined
  const etherType = bytes.readUInt16BE(12)
  if (etherType === etherTypeArp) return 42
  if (etherType === etherTypeIpv6) return 54 + bytes.readUInt16BE(18)
  throw new Error(`a frame that nobody should send: ${bytes.subarray(0, 64).toString("hex")}`)
}

/** RFC 5227: broadcast, request, sender and target protocol address the same, the same sender in both headers. */
const readArp = (frame: Buffer): Announcement | undefined => {
  const isRequest = frame.subarray(14, 22).toString("hex") === "0001080006040001"
  const toAll = frame.subarray(0, 6).toString("hex") === "ffffffffffff"
  const sender = frame.subarray(28, 32)
  if (!isRequest || !toAll || !sender.equals(frame.subarray(38, 42))) return undefined
  if (!frame.subarray(6, 12).equals(frame.subarray(22, 28))) return undefined
  if (frame.subarray(32, 38).toString("hex") !== "000000000000") return undefined
  return { address: addressOf("IPv4", sender), mac: macOf(frame.subarray(22, 28)) }
}

/** RFC 4861 7.1.2: hop limit 255, valid checksum, code 0; here also: unsolicited, override, for ff02::1, with option 2. */
const readAdvertisement = (frame: Buffer): Announcement | undefined => {
  const message = frame.subarray(54)
  const isAdvertisement = frame[20] === 58 && message[0] === 136 && message[1] === 0 && message.length === 32
  if (!isAdvertisement || frame[21] !== 255 || message[4] !== 0x20) return undefined
  if (frame.subarray(0, 6).toString("hex") !== "333300000001") return undefined
  if (frame.subarray(38, 54).toString("hex") !== `ff02${"0".repeat(27)}1`) return undefined
  if (onesComplementSum(frame) !== 0xffff || message.subarray(24, 26).toString("hex") !== "0201") return undefined
  if (!frame.subarray(6, 12).equals(message.subarray(26, 32))) return undefined
  return { address: addressOf("IPv6", message.subarray(8, 24)), mac: macOf(message.subarray(26, 32)) }
}

/** Over source, destination, length, next header and message; all ones when the checksum in it is right (RFC 1071). */
const onesComplementSum = (frame: Buffer): number => {
  let sum = frame.readUInt16BE(18) + 58
  for (let offset = 22; offset < frame.length; offset += 2) sum += frame.readUInt16BE(offset)
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000)
  return sum
}

const addressOf = (family: "IPv4" | "IPv6", bytes: Buffer): Address =>
  fromBigInt(family, BigInt(`0x${bytes.toString("hex")}`))
const macOf = (bytes: Buffer): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":")
