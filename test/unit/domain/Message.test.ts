import { assert, describe, it } from "@effect/vitest"
import { inShort } from "../../../src/domain/Message.ts"

describe("a message that quotes what a user wrote", () => {
  it("is whole where it fits", () => {
    assert.strictEqual(inShort("shop/web waits", 14), "shop/web waits")
  })

  it("loses its middle where it does not, and keeps what it is about and what to do", () => {
    const short = inShort(`shop/web: ${"x".repeat(1_000)}. Correct it.`, 100)
    assert.isAtMost(short.length, 100)
    assert.match(short, /^shop\/web: x+ … x+\. Correct it\.$/)
  })

  it.each([0, 1])("is not cut within a character, which the API server would store as another one (%i)", (shift) => {
    const short = inShort("x".repeat(shift) + "😀".repeat(100), 50)
    assert.isTrue(short.isWellFormed())
    assert.notInclude(short, "\u{fffd}")
  })
})
