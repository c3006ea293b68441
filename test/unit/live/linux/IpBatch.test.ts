import { assert, describe, it } from "@effect/vitest"
import { readErrors } from "../../../../src/live/linux/IpBatch.ts"

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
