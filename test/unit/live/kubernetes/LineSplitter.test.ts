import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as LineSplitter from "../../../../src/live/kubernetes/LineSplitter.ts"

const bytes = new TextEncoder()

const split = (chunks: ReadonlyArray<Uint8Array>) => {
  const splitter = LineSplitter.make()
  return { lines: chunks.flatMap((chunk) => splitter.push(chunk)), open: splitter.isOpen() }
}

describe("LineSplitter", () => {
  // oxfmt-ignore
  it.each([
    // name                                        chunks                     lines            open
    ["several lines in one chunk",                 ["a\nb\n"],                ["a", "b"],      false],
    ["a line over three chunks",                   ["a", "b", "c\n"],         ["abc"],         false],
    ["the end of one and the start of another",    ["a\nb", "c\n"],           ["a", "bc"],     false],
    ["a line that has not ended",                  ["a\nb"],                  ["a"],           true],
    ["empty lines are none",                       ["\n", "\r\n\na\n"],       ["a"],           false],
    ["an empty chunk",                             ["", "a\n"],               ["a"],           false],
    ["other Unicode line ends belong to the line", ["a\u2028b\u0085c\n"],     ["a\u2028b\u0085c"], false]
  ] as ReadonlyArray<readonly [string, ReadonlyArray<string>, ReadonlyArray<string>, boolean]>)("%s", (_, chunks, lines, open) => {
    assert.deepStrictEqual(split(chunks.map((chunk) => bytes.encode(chunk))), { lines, open })
  })

  it.prop(
    "wherever the bytes are cut, characters included, the lines are the same",
    { lines: Schema.Array(Schema.Literals(["grüße", "東京", "𝛑", "{}", "plain"])), cut: Schema.Int },
    ({ lines, cut }) => {
      const whole = bytes.encode(lines.map((line) => `${line}\n`).join(""))
      const size = (Math.abs(cut) % 7) + 1
      const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
        whole.subarray(i * size, (i + 1) * size)
      )
      assert.deepStrictEqual(split(chunks), { lines: [...lines], open: false })
    }
  )
})
