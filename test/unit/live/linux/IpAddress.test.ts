import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { type Address, parse } from "../../../../src/domain/Address.ts"
import { deleteArguments, difference, putArguments } from "../../../../src/live/linux/IpAddress.ts"

const a = (text: string): Address => Result.getOrThrow(parse(text))
const held = (address: string, interfaceName = "pl0") => ({ address: a(address), interfaceName })

describe("IpAddress.putArguments", () => {
  // oxfmt-ignore
  it.each([
    ["IPv4, and our mark",               held("192.0.2.10"),                 "address add 192.0.2.10/32 dev pl0 metric 1886153826 scope link label pl0:pllb"],
    ["10 characters have the label",   held("192.0.2.10", "plenus0123"),   "address add 192.0.2.10/32 dev plenus0123 metric 1886153826 scope link label plenus0123:pllb"],
    ["11 characters do not",           held("192.0.2.10", "plenus01234"),  "address add 192.0.2.10/32 dev plenus01234 metric 1886153826 scope link"],
    ["IPv6, every attribute",          held("2001:db8::10"),               "address add 2001:db8::10/128 dev pl0 metric 1886153826 nodad noprefixroute valid_lft forever preferred_lft 0"]
  ])("%s", (_, each, expected) => {
    assert.strictEqual(putArguments("add", each).join(" "), expected)
  })

  it("deletes exactly one prefix", () => {
    assert.strictEqual(deleteArguments(held("192.0.2.10"), 24).join(" "), "address delete 192.0.2.10/24 dev pl0")
  })
})

describe("IpAddress.difference", () => {
  const metric = 1_886_153_826
  const v4 = { local: "192.0.2.10", prefixlen: 32, metric, scope: "link", label: "pl0:pllb" }
  const v6 = { local: "2001:db8::10", prefixlen: 128, metric, nodad: true, noprefixroute: true, deprecated: true }
  // oxfmt-ignore
  it.each([
    ["IPv4 as it should be",                 v4,                               "192.0.2.10",   "none"],
    ["IPv4 as v0.4 left it",                 { ...v4, metric: 0 },             "192.0.2.10",   "inPlace"],
    ["IPv4 that would expire",               { ...v4, valid_life_time: 60 },   "192.0.2.10",   "inPlace"],
    ["IPv4 of scope global",                 { ...v4, scope: "global" },       "192.0.2.10",   "anew"],
    ["IPv4 without our label",               { ...v4, label: "pl0" },          "192.0.2.10",   "anew"],
    ["IPv6 as it should be",                 v6,                               "2001:db8::10", "none"],
    ["IPv6 without our mark",                { ...v6, metric: 256 },           "2001:db8::10", "inPlace"],
    ["IPv6 that would expire",               { ...v6, valid_life_time: 60 },   "2001:db8::10", "inPlace"],
    ["IPv6 with duplicate detection",        { ...v6, nodad: false },          "2001:db8::10", "inPlace"],
    ["IPv6 with a route of its own",         { ...v6, noprefixroute: false },  "2001:db8::10", "inPlace"],
    ["IPv6 that may be chosen as a source",  { ...v6, deprecated: false },     "2001:db8::10", "inPlace"]
  ])("%s", (_, found, address, expected) => {
    assert.strictEqual(difference(found, held(address)), expected)
  })
})
