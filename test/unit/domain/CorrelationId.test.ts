import { assert, describe, it } from "@effect/vitest"
import * as CorrelationId from "../../../src/domain/CorrelationId.ts"

const told = (code: string, id: string) => `the cloud says: GET /servers: invalid (${code}, ${id}). Look at the token.`

describe("CorrelationId.isSameBut", () => {
  // oxfmt-ignore
  it.each([
    // name                                     one                                            other                                          same
    ["another request with the same answer",    told("unauthorized", "9fc3a1d27b604e85"),      told("unauthorized", "0000000000000001"),      true],
    ["another answer",                          told("unauthorized", "9fc3a1d27b604e85"),      told("forbidden", "9fc3a1d27b604e85"),         false],
    ["an answer without an id",                 "the cloud says: invalid (unauthorized).",     told("unauthorized", "9fc3a1d27b604e85"),      false],
    ["words in parentheses",                    "no node (excluded, cordoned)",                "no node (excluded, NotReady)",                false],
    ["nothing said before",                     undefined,                                     "served",                                      false],
    ["nothing said at all",                     undefined,                                     undefined,                                     true],
  ])("%s", (_name, one, other, same) => {
    assert.strictEqual(CorrelationId.isSameBut(one, other), same)
  })
})
