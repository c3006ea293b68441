import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { type Address, parse } from "../../../../src/domain/Address.ts"
import { deleteArguments, difference, isAbsent, isPresent, putArguments } from "../../../../src/live/linux/IpAddress.ts"
import { isListening } from "../../../../src/live/linux/ChangeMonitor.ts"
import { readErrors } from "../../../../src/live/linux/IpBatch.ts"
import { reasonOf } from "../../../../src/live/linux/Tool.ts"

const a = (text: string): Address => Result.getOrThrow(parse(text))
const held = (address: string, interfaceName = "pl0") => ({ address: a(address), interfaceName })

describe("IpAddress.putArguments", () => {
  // oxfmt-ignore
  it.each([
    ["IPv4, as v0.4",                  held("192.0.2.10"),                 "address add 192.0.2.10/32 dev pl0 scope link label pl0:pllb"],
    ["10 characters have the label",   held("192.0.2.10", "plenus0123"),   "address add 192.0.2.10/32 dev plenus0123 scope link label plenus0123:pllb"],
    ["11 characters do not",           held("192.0.2.10", "plenus01234"),  "address add 192.0.2.10/32 dev plenus01234 scope link"],
    ["IPv6, every attribute",          held("2001:db8::10"),               "address add 2001:db8::10/128 dev pl0 nodad noprefixroute valid_lft forever preferred_lft 0"]
  ])("%s", (_, each, expected) => {
    assert.strictEqual(putArguments("add", each).join(" "), expected)
  })

  it("deletes exactly one prefix", () => {
    assert.strictEqual(deleteArguments(held("192.0.2.10"), 24).join(" "), "address delete 192.0.2.10/24 dev pl0")
  })
})

describe("IpAddress.difference", () => {
  const v4 = { local: "192.0.2.10", prefixlen: 32, scope: "link", label: "pl0:pllb", valid_life_time: 4_294_967_295 }
  const v6 = { local: "2001:db8::10", prefixlen: 128, nodad: true, noprefixroute: true, deprecated: true }
  // oxfmt-ignore
  it.each([
    ["IPv4 as it should be",                 v4,                               "192.0.2.10",   "none"],
    ["IPv4 that would expire",               { ...v4, valid_life_time: 60 },   "192.0.2.10",   "inPlace"],
    ["IPv4 of scope global",                 { ...v4, scope: "global" },       "192.0.2.10",   "anew"],
    ["IPv4 without our label",               { ...v4, label: "pl0" },          "192.0.2.10",   "anew"],
    ["IPv6 as it should be",                 v6,                               "2001:db8::10", "none"],
    ["IPv6 that would expire",               { ...v6, valid_life_time: 60 },   "2001:db8::10", "inPlace"],
    ["IPv6 with duplicate detection",        { ...v6, nodad: false },          "2001:db8::10", "inPlace"],
    ["IPv6 with a route of its own",         { ...v6, noprefixroute: false },  "2001:db8::10", "inPlace"],
    ["IPv6 that may be chosen as a source",  { ...v6, deprecated: false },     "2001:db8::10", "inPlace"]
  ])("%s", (_, found, address, expected) => {
    assert.strictEqual(difference(found, held(address)), expected)
  })
})

describe("Tool.reasonOf", () => {
  // oxfmt-ignore
  it.each([
    // the tool says                                                     reason              present absent
    ['Cannot find device "pl7"',                                         "InterfaceMissing", false, false],
    ['Device "pl7" does not exist.',                                     "InterfaceMissing", false, false],
    ['2026/11/24 15:26:17 socat[1] E unknown interface "pl7"',           "InterfaceMissing", false, false],
    ["RTNETLINK answers: No such device",                                "InterfaceMissing", false, false],
    ["RTNETLINK answers: Operation not permitted",                       "NotPermitted",     false, false],
    ["socat[1] E socket(17, 3, 0): Operation not permitted",             "NotPermitted",     false, false],
    ["Error: ipv4: Address already assigned.",                           "ToolFailed",       true,  false],
    ["RTNETLINK answers: File exists",                                   "ToolFailed",       true,  false],
    ["Error: ipv6: address not found.",                                  "ToolFailed",       false, true],
    ["RTNETLINK answers: Cannot assign requested address",               "ToolFailed",       false, true],
    ["Error: Attribute failed policy validation.",                       "ToolFailed",       false, false]
  ])("%s", (said, tag, present, absent) => {
    const reason = reasonOf("ip", said, "exit code 2", "pl7")
    assert.deepStrictEqual([reason._tag, isPresent(reason), isAbsent(reason)], [tag, present, absent])
  })

  it("does not take a missing namespace for a missing interface", () => {
    const said = "nsenter: cannot open /run/netns/x: No such file or directory"
    assert.strictEqual(reasonOf("ip", said, "exit code 1", "pl7")._tag, "ToolFailed")
  })

  it("says how it ended when it said nothing", () => {
    const reason = reasonOf("ip", " \n", "exit code 255", "")
    assert.deepStrictEqual(reason._tag === "ToolFailed" && reason.message, "exit code 255")
  })
})

describe("IpBatch.readErrors", () => {
  // oxfmt-ignore
  it.each([
    ["nothing",                            "",                                                             {},                                  ""],
    ["one line",                           "Error: a.\nCommand failed -:2\n",                              { 2: "Error: a." },                  ""],
    ["several, with several messages",     "a\nb\nCommand failed -:1\nc\nCommand failed -:30\n",          { 1: "a\nb", 30: "c" },              ""],
    ["what ended it all",                  "a\nCommand failed -:1\nnsenter: no\n",                        { 1: "a" },                          "nsenter: no"]
  ])("%s", (_, text, byLine, rest) => {
    const read = readErrors(text)
    assert.deepStrictEqual([Object.fromEntries(read.byLine), read.rest], [byLine, rest])
  })
})

describe("ChangeMonitor.isListening", () => {
  const header = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode"
  // oxfmt-ignore
  it.each([
    ["in groups of rtnetlink",           "000000003f9acfef 0   25050      00000111 0        0", true],
    ["in no group yet",                  "000000003f9acfef 0   25050      00000000 0        0", false],
    ["in groups of another protocol",    "000000003f9acfef 15  25050      00000111 0        0", false],
    ["another process",                  "000000003f9acfef 0   25051      00000111 0        0", false]
  ])("%s", (_, line, expected) => {
    assert.strictEqual(isListening(`${header}\n${line}\n`, 25_050), expected)
  })
})
