import { assert, describe, it } from "@effect/vitest"
import { newDump } from "../../../../src/live/linux/ClaimReader.ts"

const packetsIn = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const found: Array<string> = []
  const dump = newDump((bytes) => found.push(Buffer.from(bytes).toString("hex")))
  for (const line of lines) dump(line)
  return found
}

/** Read from socat 1.7.4.4. */
const head = (length: number) => `> 2026/11/29 09:50:55.000200989  length=${length} from=0 to=${length - 1}`
const notice = "2026/11/29 09:50:55 socat[29062] N received packet with 32 bytes from AF=10 [2001:0db8:ffff::10]:0"

describe("the dump of socat", () => {
  // oxfmt-ignore
  it.each<[string, ReadonlyArray<string>, ReadonlyArray<string>]>([
    ["gives each packet",                 [head(3), " 00 01 08", head(2), " ff ee"],                     ["000108", "ffee"]],
    ["of any length, over several lines", [head(4), " 00 01", " 08 00"],                                 ["00010800"]],
    ["without what is logged in between", [notice, head(2), " 00 01", notice, "--", head(1), " 08"],     ["0001", "08"]],
    ["and without what was cut off",      [head(3), " 00 01", head(2), " ff ee"],                        ["ffee"]],
    ["nothing where there is no dump",    [notice, " 00 01", "de ad"],                                   []]
  ])("%s", (_, lines, expected) => {
    assert.deepStrictEqual(packetsIn(lines), expected)
  })

  // oxfmt-ignore
  it.each<[string, string, boolean]>([
    ["a head",                    head(2),                            true],
    ["bytes",                     " 00 01",                           true],
    ["the end of a packet",       "--",                               true],
    ["an empty line",             "",                                 true],
    ["a line of the log",         notice,                             true],
    ["bytes in another form",     "0000: 0001 0800",                  false],
    ["a head in other words",     "> 2026-11-29T09:50:55 2 bytes",    false]
  ])("is known by each of its lines: %s", (_, line, expected) => {
    assert.strictEqual(newDump(() => undefined)(line), expected)
  })
})
