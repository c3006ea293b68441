import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Address from "../../../src/domain/Address.ts"
import { address as ok, anyAddress, options } from "./arbitraries.ts"

const failure = (text: string): string => Result.getOrThrow(Result.flip(Address.parse(text)))

describe("Address.parse", () => {
  // oxfmt-ignore
  it.each([
    // RFC 5952 section 4, by its own examples
    ["keeps a dotted quad",                                "192.0.2.10",                            "192.0.2.10"],
    ["suppresses leading zeros in a segment (4.1)",        "2001:0db8::0001",                       "2001:db8::1"],
    ["shortens as much as possible (4.2.1)",               "2001:db8:0:0:0:0:2:1",                  "2001:db8::2:1"],
    ["does not shorten a single zero segment (4.2.2)",     "2001:db8::1:1:1:1:1",                   "2001:db8:0:1:1:1:1:1"],
    ["shortens the longest run (4.2.3)",                   "2001:0:0:1:0:0:0:1",                    "2001:0:0:1::1"],
    ["shortens the first of two equal runs (4.2.3)",       "2001:db8:0:0:1:0:0:1",                  "2001:db8::1:0:0:1"],
    ["writes lower case (4.3)",                            "2001:DB8::A",                           "2001:db8::a"],
    ["reads a trailing dotted quad",                       "2001:db8::192.0.2.1",                   "2001:db8::c000:201"]
  ])("%s", (_, text, canonical) => {
    assert.strictEqual(ok(text), canonical)
  })

  // oxfmt-ignore
  it.each([
    ["a zone id",                     "fe80::1%eth0",     ["zone id", "Write fe80::1."]],
    ["leading zeros",                 "192.0.02.010",     ["leading zeros", "Write 192.0.2.10 if that is meant."]],
    ["IPv4 written as IPv6",          "::ffff:192.0.2.1", ["IPv4 address written as IPv6", "Write 192.0.2.1."]],
    ["the same in hex",               "::FFFF:c000:201",  ["IPv4 address written as IPv6", "Write 192.0.2.1."]],
    ["a network",                     "192.0.2.0/24",     ["is a network"]],
    ["too large an octet",            "192.0.2.256",      ["not an IP address", "Write it like"]],
    ["three octets",                  "192.0.2",          ["not an IP address"]],
    ["two gaps",                      "2001::db8::1",     ["not an IP address"]],
    ["a host name",                   "example.org",      ["not an IP address"]],
    ["a space",                       " 192.0.2.1",       ["not an IP address"]],
    ["nothing",                       "",                 ["not an IP address"]],
    ["a socket address",              "[2001:db8::1]:80", ["not an IP address"]]
  ])("refuses %s and says what to write", (_, text, words) => {
    for (const word of words) assert.include(failure(text), word)
  })
})

describe("Address", () => {
  it.prop(
    "reads back what it writes, as the one spelling of that value",
    { any: anyAddress },
    ({ any }) => {
      const written = Address.fromBigInt(any.family, any.value)
      const parsed = Address.parse(written)
      const isMapped = any.family === "IPv6" && any.value >> 32n === 0xffffn
      if (isMapped) return Result.isFailure(parsed)
      assert.strictEqual(Result.getOrThrow(parsed), written)
      assert.strictEqual(Address.toBigInt(written), any.value)
      assert.strictEqual(Address.familyOf(written), any.family)
      return true
    },
    options
  )

  it.prop(
    "writes IPv6 as RFC 5952 says: lower case, no `0:0` left, no `::` for one segment",
    { any: anyAddress },
    ({ any }) => {
      const written = Address.fromBigInt("IPv6", any.value)
      if (any.value >> 32n === 0xffffn) return
      assert.notMatch(written, /[A-Z]|(^|:)0[0-9a-f]/)
      const segments = written.split("::").flatMap((half) => (half === "" ? [] : half.split(":")))
      if (written.includes("::")) assert.isAtMost(segments.length, 6)
      else assert.notMatch(written, /(^|:)0:0(:|$)/)
    },
    options
  )

  it.prop(
    "has 8 or 32 hex digits that name it",
    { any: anyAddress },
    ({ any }) => {
      const hex = Address.toHex(Address.fromBigInt(any.family, any.value))
      assert.match(hex, any.family === "IPv4" ? /^[0-9a-f]{8}$/ : /^[0-9a-f]{32}$/)
      assert.strictEqual(BigInt(`0x${hex}`), any.value)
    },
    options
  )

  it("sorts by value, not by text, and IPv4 before IPv6", () => {
    const sorted = ["2001:db8::", "192.0.2.10", "10.0.0.9", "192.0.2.9"].map(ok).toSorted(Address.order)
    assert.deepStrictEqual(sorted, ["10.0.0.9", "192.0.2.9", "192.0.2.10", "2001:db8::"].map(ok))
  })
})
