import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Address from "../../../src/domain/Address.ts"
import * as FloatingAddress from "../../../src/domain/FloatingAddress.ts"

const address = (text: string): Address.Address => Result.getOrThrow(Address.parse(text))

describe("FloatingAddress.contains", () => {
  // oxfmt-ignore
  it.each<[string, string, string, boolean]>([
    // name                                            network                 address              contains
    ["an IPv4 address is in itself",                   "198.18.0.1",           "198.18.0.1",        true],
    ["another IPv4 address is not",                    "198.18.0.1",           "198.18.0.10",       false],
    ["one whose text begins that of another is not",   "198.18.0.10",          "198.18.0.1",        false],
    ["one of an IPv4 network is in it",                "198.18.0.0/30",        "198.18.0.3",        true],
    ["one beside an IPv4 network is not",              "198.18.0.0/30",        "198.18.0.4",        false],
    ["one of an IPv4 range is in it",                  "198.18.0.1-198.18.0.9", "198.18.0.5",       true],
    ["one of an IPv6 network is in it",                "2001:db8:1:7::/64",    "2001:db8:1:7::1",   true],
    ["one of the IPv6 network beside it is not",       "2001:db8:1:7::/64",    "2001:db8:1:8::1",   false],
    ["an IPv6 address is in no IPv4 address",          "198.18.0.1",           "2001:db8::1",       false],
    ["an IPv4 address is in no IPv6 network",          "2001:db8:1:7::/64",    "198.18.0.1",        false],
    ["nothing is in what cannot be read",              "198.18.0",             "198.18.0.1",        false]
  ])("%s", (_, network, of, expected) => {
    assert.strictEqual(FloatingAddress.contains(network, address(of)), expected)
  })
})
