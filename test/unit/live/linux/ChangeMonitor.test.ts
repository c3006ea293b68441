import { assert, describe, it } from "@effect/vitest"
import { isListening } from "../../../../src/live/linux/ChangeMonitor.ts"

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
