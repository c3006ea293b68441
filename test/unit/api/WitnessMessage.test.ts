import { assert, describe, it } from "@effect/vitest"
import * as WitnessMessage from "../../../src/api/WitnessMessage.ts"

const keyFrom = (text: string): WitnessMessage.WitnessKey => {
  const key = WitnessMessage.keyOf(text)
  if (key === undefined) throw new Error("too short")
  return key
}
const key = keyFrom("0123456789abcdef0123456789abcdef")
const other = keyFrom("0123456789abcdef0123456789abcdeF")
const question: WitnessMessage.Question = { kind: "Evidence", voter: "node-2", holdId: "1.a", nonce: "n1" }
const answer: WitnessMessage.Answer = { yes: true, process: "p1", atMillis: 17 }
const asking = WitnessMessage.sealQuestion(question, key)
const sealed = WitnessMessage.sealAnswer(answer, asking, key)

/** As somebody in between would change what it says. */
const changed = (message: string, from: string, to: string): string => {
  assert.include(message, from)
  return message.replace(from, to)
}

describe("a sealed question", () => {
  it("opens under its key", () => {
    assert.deepStrictEqual(WitnessMessage.openQuestion(asking, key), question)
  })

  // oxfmt-ignore
  it.each([
    ["under a key that differs in one letter",  asking,                                                       other],
    ["once its text was changed",               changed(asking, "node-2", "node-3"),                          key],
    ["with a seal that is cut short",           JSON.stringify({ ...JSON.parse(asking), mac: "" }),           key],
    ["when it is an answer",                    sealed,                                                       key],
    ["when it is anything else",                "{}",                                                         key],
    ["when it is empty",                        "",                                                           key]
  ])("does not open %s", (_, message, under) => {
    assert.isUndefined(WitnessMessage.openQuestion(message, under))
  })
})

describe("a sealed answer", () => {
  it("opens for its question under its key", () => {
    assert.deepStrictEqual(WitnessMessage.openAnswer(sealed, asking, key), answer)
  })

  // oxfmt-ignore
  it.each([
    ["under another key",                 sealed,                              asking,                                                          other],
    ["once a no was made a yes",          changed(WitnessMessage.sealAnswer({ ...answer, yes: false }, asking, key), "false", "true"), asking,     key],
    ["for the next question",             sealed,                              WitnessMessage.sealQuestion({ ...question, nonce: "n2" }, key),   key],
    ["for another voter's question",      sealed,                              WitnessMessage.sealQuestion({ ...question, voter: "node-3" }, key), key],
    ["when it is the question",           asking,                              asking,                                                          key]
  ])("does not open %s", (_, message, about, under) => {
    assert.isUndefined(WitnessMessage.openAnswer(message, about, under))
  })
})

describe("the witness key", () => {
  it.each(["", "   \n", "too short", "x".repeat(31)])("is none when it is %j", (text) => {
    assert.isUndefined(WitnessMessage.keyOf(text))
  })

  it("is not printed", () => {
    assert.notInclude(`${String(key)} ${JSON.stringify({ key })}`, "0123")
  })

  it("is the same with the line end that an editor adds", () => {
    const again = keyFrom("0123456789abcdef0123456789abcdef\n")
    assert.deepStrictEqual(WitnessMessage.openQuestion(asking, again), question)
  })
})
