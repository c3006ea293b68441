import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { IPAllocation } from "../../../src/api/IPAllocation.ts"
import * as Unreadable from "../../../src/controller/Unreadable.ts"

const refusal = (object: unknown): string => {
  const decoded = Schema.decodeUnknownResult(IPAllocation, { errors: "all" })(object)
  return Result.isFailure(decoded) ? Unreadable.sentence(decoded.failure.message) : "accepted"
}

describe("Unreadable.sentence", () => {
  it("names every field as users write it, in one line", () => {
    const allocations = [{ address: "192.0.2.10", pool: "rack-1", epoch: 2 ** 60 }]
    assert.strictEqual(
      refusal({ metadata: { name: "web" }, spec: { type: "leased", allocations } }),
      'Expected "ephemeral" | "persistent" at spec.type; Expected an integer at spec.allocations[0].epoch'
    )
  })

  it("leaves other messages as they are", () => {
    assert.strictEqual(Unreadable.sentence("spec.newer: not expected"), "spec.newer: not expected")
  })
})
