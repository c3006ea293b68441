import { assert, describe, it } from "@effect/vitest"
import { type Condition, setCondition } from "../../../src/api/Condition.ts"

const ready: Condition = {
  type: "Ready",
  status: "True",
  reason: "Serving",
  message: "all well",
  lastTransitionTime: "2026-11-24T10:00:00Z"
}
const degraded: Condition = { ...ready, type: "Degraded", status: "False", reason: "AsExpected" }
const later = "2026-11-24T11:00:00Z"

describe("Condition.setCondition", () => {
  it("adds a condition of a new type behind the others", () => {
    assert.deepStrictEqual(setCondition([ready], degraded), [ready, degraded])
  })

  it("gives the same array when nothing but the time differs", () => {
    const before = [ready, degraded]
    assert.strictEqual(setCondition(before, { ...degraded, lastTransitionTime: later }), before)
  })

  it("keeps the time of the transition when only reason, message or generation change", () => {
    const changed = {
      ...ready,
      reason: "Moved",
      message: "on worker-2",
      observedGeneration: 2,
      lastTransitionTime: later
    }
    assert.deepStrictEqual(setCondition([ready, degraded], changed), [
      { ...changed, lastTransitionTime: ready.lastTransitionTime },
      degraded
    ])
  })

  it("takes the new time when the status changes", () => {
    const changed: Condition = { ...ready, status: "False", reason: "Lost", lastTransitionTime: later }
    assert.deepStrictEqual(setCondition([degraded, ready], changed), [degraded, changed])
  })
})
