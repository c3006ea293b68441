import { assert, describe, it } from "@effect/vitest"
import { isListening } from "../../../../src/live/linux/ChangeMonitor.ts"

describe("ChangeMonitor.isListening", () => {
  const header = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode"
  const second = "00000000b9cd730f 0   2722850143 00000000 0        0        0     2        0        4002"
  // oxfmt-ignore
  it.each([
    ["in groups of rtnetlink, with its second socket",  "000000003f9acfef 0   25050      00000111 0        0        0     2        0        4001", second, true],
    ["in groups, the names of the links not read yet",  "000000003f9acfef 0   25050      00000111 0        0        0     2        0        4001", "",     false],
    ["in no group yet",                                 "000000003f9acfef 0   25050      00000000 0        0        0     2        0        4001", second, false],
    ["in groups of another protocol",                   "000000003f9acfef 15  25050      00000111 0        0        0     2        0        4001", second, false],
    ["the socket of another process",                   "000000003f9acfef 0   25050      00000111 0        0        0     2        0        4003", second, false]
  ])("%s", (_, first, other, expected) => {
    const netlink = [header, first, other, ""].join("\n")
    assert.strictEqual(isListening({ inodes: new Set(["4001", "4002"]), netlink }), expected)
  })
})
