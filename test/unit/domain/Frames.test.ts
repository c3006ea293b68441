import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { type Address, parse } from "../../../src/domain/Address.ts"
import {
  announcement,
  gratuitousArpBytes,
  icmpv6Checksum,
  arpProbeBytes,
  neighborAdvertisementBytes,
  neighborSolicitationBytes,
  parseMac,
  probe
} from "../../../src/domain/Frames.ts"

const address = (text: string): Address => Result.getOrThrow(parse(text))
const mac = Result.getOrThrow(parseMac("02:00:5e:10:00:01"))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

describe("Frames.probe", () => {
  it("is an ARP probe for IPv4, from which nobody learns anything (RFC 5227, 2.1.1)", () => {
    const expected = [
      ["destination: everybody", "ffffffffffff"],
      ["source: the uplink", "02005e100001"],
      ["EtherType ARP", "0806"],
      ["Ethernet, IPv4, their lengths, operation request", "0001080006040001"],
      ["sender hardware address", "02005e100001"],
      ["sender protocol address: none", "00000000"],
      ["target hardware address, unused", "000000000000"],
      ["target protocol address 192.0.2.10", "c000020a"]
    ]
    const frame = probe(mac, address("192.0.2.10"))
    assert.strictEqual(hex(frame), expected.map(([, bytes]) => bytes).join(""))
    assert.strictEqual(frame.length, arpProbeBytes)
  })

  it("is the solicitation of duplicate address detection for IPv6 (RFC 4862, 5.4.2)", () => {
    const expected = [
      ["destination: the solicited-node group (RFC 2464)", "3333ff040010"],
      ["source: the uplink", "02005e100001"],
      ["EtherType IPv6", "86dd"],
      ["version 6, no class, no flow", "60000000"],
      ["payload of 24 bytes", "0018"],
      ["next header ICMPv6", "3a"],
      ["hop limit 255", "ff"],
      ["from nowhere", "00000000000000000000000000000000"],
      ["to ff02::1:ff00:0 with the last 24 bits of the target", "ff0200000000000000000001ff040010"],
      ["type 135, code 0", "8700"],
      // By hand: ff02+0001+ff04+0010 + (0018+003a) + 8700 + 2001+0db8+0004+0010 = 2b336; folded b338; its complement.
      ["checksum", "4cc7"],
      ["reserved", "00000000"],
      ["target", "20010db8000000000000000000040010"]
    ]
    const frame = probe(mac, address("2001:db8::4:10"))
    assert.strictEqual(hex(frame), expected.map(([, bytes]) => bytes).join(""))
    assert.strictEqual(frame.length, neighborSolicitationBytes)
  })
})

describe("Frames.announcement", () => {
  it("is an ARP announcement for IPv4, field by field of RFC 826 and RFC 5227", () => {
    const expected = [
      ["destination: everybody", "ffffffffffff"],
      ["source: the uplink", "02005e100001"],
      ["EtherType ARP", "0806"],
      ["hardware type Ethernet", "0001"],
      ["protocol type IPv4", "0800"],
      ["lengths of the addresses", "0604"],
      ["operation request", "0001"],
      ["sender hardware address", "02005e100001"],
      ["sender protocol address 192.0.2.10", "c000020a"],
      ["target hardware address, unused", "000000000000"],
      ["target protocol address, the same", "c000020a"]
    ]
    const frame = announcement(mac, address("192.0.2.10"))
    assert.strictEqual(hex(frame), expected.map(([, bytes]) => bytes).join(""))
    assert.strictEqual(frame.length, gratuitousArpBytes)
  })

  it("is an unsolicited neighbour advertisement for IPv6, field by field of RFC 8200 and RFC 4861", () => {
    const ip = "20010db8000000000000000000000010"
    const expected = [
      ["destination: all nodes (RFC 2464)", "333300000001"],
      ["source: the uplink", "02005e100001"],
      ["EtherType IPv6", "86dd"],
      ["version 6, no class, no flow", "60000000"],
      ["payload of 32 bytes", "0020"],
      ["next header ICMPv6", "3a"],
      ["hop limit 255", "ff"],
      ["from the address itself", ip],
      ["to ff02::1", "ff020000000000000000000000000001"],
      ["type 136, code 0", "8800"],
      // By hand: 2·(2001+0db8+0010) + (ff02+0001) + (0020+003a) + (8800+2000) + (0201+0200+5e10+0001) = 26501;
      // folded 6503; its complement.
      ["checksum", "9afc"],
      ["override, not solicited, no router", "20000000"],
      ["target", ip],
      ["option: target link-layer address, 8 bytes", "0201"],
      ["the uplink", "02005e100001"]
    ]
    const frame = announcement(mac, address("2001:db8::10"))
    assert.strictEqual(hex(frame), expected.map(([, bytes]) => bytes).join(""))
    assert.strictEqual(frame.length, neighborAdvertisementBytes)
  })

  it("writes every byte of an address", () => {
    const frame = announcement(mac, address("2001:db8:1:2:3:4:5:6ff"))
    assert.strictEqual(hex(frame.subarray(62, 78)), "20010db80001000200030004000506ff")
    assert.strictEqual(hex(announcement(mac, address("255.0.1.128")).subarray(28, 32)), "ff000180")
  })
})

describe("Frames.icmpv6Checksum", () => {
  it("makes the sum over everything all ones, also where the sum carries twice", () => {
    const ones = Array.from({ length: 16 }, () => 0xff)
    const message = Uint8Array.from([136, 0, 0, 0, ...ones, ...ones])
    const checksum = icmpv6Checksum(ones, ones, message)
    message.set([checksum >> 8, checksum & 0xff], 2)
    assert.strictEqual(icmpv6Checksum(ones, ones, message), 0)
  })
})

describe("Frames.parseMac", () => {
  // oxfmt-ignore
  it.each([
    // name                         text                     bytes or refusal
    ["takes lower case",            "02:00:5e:10:00:01",     "02005e100001"],
    ["takes upper case",            "02:00:5E:10:00:AB",     "02005e1000ab"],
    ["refuses an IPoIB address",    "80:00:02:08:fe:80:00:00:00:00:00:00", undefined],
    ["refuses an interface without","",                      undefined],
    ["refuses another separator",   "02-00-5e-10-00-01",     undefined]
  ])("%s", (_, text, expected) => {
    assert.strictEqual(Result.getOrUndefined(Result.map(parseMac(text), hex)), expected)
  })

  it("says what is wrong and what was expected", () => {
    assert.strictEqual(
      Result.getOrThrow(Result.flip(parseMac("none"))),
      '"none" is no Ethernet address; expected six bytes such as 02:00:5e:10:00:01'
    )
  })
})
