import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result } from "effect"
import * as Address from "../../../src/domain/Address.ts"
import * as AddressRange from "../../../src/domain/AddressRange.ts"
import { address, anyAddress, enumerate, int, nearbyRange, nearbyValue, options, range } from "./arbitraries.ts"

const failure = (text: string): string => Result.getOrThrow(Result.flip(AddressRange.parse(text)))

describe("AddressRange.parse", () => {
  // oxfmt-ignore
  it.each([
    // name                                  text                          first               last                 normal form
    ["one address",                          "192.0.2.10",                 "192.0.2.10",       "192.0.2.10",        "192.0.2.10"],
    ["a network",                            "192.0.2.16/28",              "192.0.2.16",       "192.0.2.31",        "192.0.2.16/28"],
    ["a network of one",                     "192.0.2.10/32",              "192.0.2.10",       "192.0.2.10",        "192.0.2.10"],
    ["a start and an end",                   "192.0.2.40-192.0.2.49",      "192.0.2.40",       "192.0.2.49",        "192.0.2.40-192.0.2.49"],
    ["a range that is a network",            "192.0.2.0-192.0.2.255",      "192.0.2.0",        "192.0.2.255",       "192.0.2.0/24"],
    ["an IPv6 network",                      "2001:DB8::/120",             "2001:db8::",       "2001:db8::ff",      "2001:db8::/120"],
    ["an IPv6 range",                        "2001:db8::1-2001:db8::f",    "2001:db8::1",      "2001:db8::f",       "2001:db8::1-2001:db8::f"],
    ["a very large network",                 "10.0.0.0/8",                 "10.0.0.0",         "10.255.255.255",    "10.0.0.0/8"]
  ])("reads %s", (_, text, first, last, normal) => {
    const parsed = range(text)
    assert.strictEqual(Address.fromBigInt(parsed.family, parsed.first), first)
    assert.strictEqual(Address.fromBigInt(parsed.family, parsed.last), last)
    assert.strictEqual(AddressRange.format(parsed), normal)
  })

  // oxfmt-ignore
  it.each([
    ["host bits in a network",    "192.0.2.17/28",            ["host bits", "Write 192.0.2.16/28 for the network, or 192.0.2.17 for the one address."]],
    ["host bits in IPv6",         "2001:db8::1/64",           ["Write 2001:db8::/64"]],
    ["a prefix that is too long", "192.0.2.0/33",             ["Write a number from 0 to 32"]],
    ["a prefix with a zero",      "192.0.2.0/08",             ["Write a number from 0 to 32"]],
    ["no prefix",                 "2001:db8::/",              ["Write a number from 0 to 128"]],
    ["an end before the start",   "192.0.2.9-192.0.2.4",      ["Write 192.0.2.4-192.0.2.9."]],
    ["two families",              "192.0.2.9-2001:db8::1",    ["begins as IPv4 and ends as IPv6"]],
    ["a short end",               "192.0.2.9-12",             ["The end of the range", "not an IP address"]],
    ["a start with zeros",        "192.0.2.09-192.0.2.12",    ["The start of the range", "Write 192.0.2.9 if"]],
    ["a network of mapped IPv4",  "::ffff:192.0.2.0/120",     ["The network", "IPv4 address written as IPv6"]],
    ["spaces",                    "192.0.2.1 - 192.0.2.4",    ["not an IP address"]]
  ])("refuses %s and says what to write", (_, text, words) => {
    for (const word of words) assert.include(failure(text), word)
  })
})

describe("AddressRange", () => {
  it.prop(
    "reads back what it writes",
    { any: anyAddress, length: int(0, 300) },
    ({ any, length }) => {
      if (any.family === "IPv6" && any.value >> 33n === 0x7fffn) return
      const top = (1n << BigInt(Address.widthOf(any.family))) - 1n
      const last = any.value + BigInt(length) > top ? top : any.value + BigInt(length)
      const expected = { family: any.family, first: any.value, last }
      assert.deepStrictEqual(range(AddressRange.format(expected)), expected)
    },
    options
  )

  it.prop(
    "merges into a sorted, disjoint list of the same addresses, without neighbours that touch",
    { ranges: Arbitrary.array(nearbyRange, { maxLength: 12 }) },
    ({ ranges }) => {
      const merged = AddressRange.merge(ranges)
      assert.deepStrictEqual(new Set(merged.flatMap(enumerate)), new Set(ranges.flatMap(enumerate)))
      for (const [index, next] of merged.slice(1).entries()) {
        assert.isTrue((merged[index]?.last ?? 0n) + 1n < next.first, "apart")
      }
    },
    options
  )

  it.prop(
    "finds the range that holds an address, if there is one",
    { ranges: Arbitrary.array(nearbyRange, { maxLength: 12 }), value: nearbyValue },
    ({ ranges, value }) => {
      const wanted = Address.fromBigInt("IPv4", value)
      const found = AddressRange.find(AddressRange.merge(ranges), wanted)
      assert.strictEqual(
        found !== undefined,
        ranges.some((one) => AddressRange.contains(one, wanted))
      )
      if (found !== undefined) assert.isTrue(AddressRange.contains(found, wanted))
    },
    options
  )

  it("keeps families apart where their numbers are equal", () => {
    const small: AddressRange.AddressRange = { family: "IPv6", first: 0xc0000201n, last: 0xc0000201n }
    assert.isFalse(AddressRange.contains(small, address("192.0.2.1")))
    assert.isFalse(AddressRange.overlaps(small, range("192.0.2.1")))
  })

  // oxfmt-ignore
  it.each([
    ["0.0.0.0/0", true], ["127.0.0.1", true], ["169.254.10.1", true], ["224.0.0.1", true], ["255.255.255.255", true],
    ["::1", true], ["fe80::1", true], ["ff02::1", true], ["10.0.0.0/8", false], ["203.0.113.7", false], ["fd00::/64", false]
  ])("knows whether Kubernetes would refuse %s: %s", (text, refused) => {
    assert.strictEqual(AddressRange.unusable(range(text)) !== undefined, refused)
  })
})
