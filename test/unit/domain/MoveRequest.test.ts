import { assert, describe, it } from "@effect/vitest"
import type { Entry } from "../../../src/domain/Hold.ts"
import * as MoveRequest from "../../../src/domain/MoveRequest.ts"
import { address } from "./arbitraries.ts"

const entry = (node: string, epoch: number): Entry => ({
  address: address("2001:db8::1"),
  pool: "rack-1",
  node,
  holdId: "1.a",
  epoch,
  previous: []
})

describe("MoveRequest", () => {
  // oxfmt-ignore
  it.each<[string, string, Entry, string | undefined]>([
    // name                                        annotation                             entry               target
    ["asks the holder that it names to move",      "2001:db8::1=n2@3",                    entry("n1", 3),     "n2"],
    ["is written in any form of the address",      "2001:DB8:0::1=n2@3",                  entry("n1", 3),     "n2"],
    ["says nothing of a later holder",             "2001:db8::1=n2@3",                    entry("n1", 4),     undefined],
    ["says nothing of one that is there",          "2001:db8::1=n1@3",                    entry("n1", 3),     undefined],
    ["says nothing of another address",            "192.0.2.1=n2@3",                      entry("n1", 3),     undefined],
    ["may name several addresses",                 "192.0.2.1=n4@1, 2001:db8::1=n2@3",    entry("n1", 3),     "n2"],
    ["asks for nothing when it cannot be read",    "n2",                                  entry("n1", 3),     undefined],
    ["asks for nothing without an epoch",          "2001:db8::1=n2",                      entry("n1", 3),     undefined]
  ])("%s", (_, text, present, target) => {
    assert.strictEqual(MoveRequest.targetOf(MoveRequest.parse(text), present), target)
  })

  it("reads what it writes", () => {
    const requests = [
      { address: address("192.0.2.1"), node: "n1", epoch: 7 },
      { address: address("2001:db8::1"), node: "worker.example", epoch: 12 }
    ]
    assert.deepStrictEqual(MoveRequest.parse(MoveRequest.format(requests)), requests)
  })
})
