import { assert, describe, it } from "@effect/vitest"
import { OperatorPods } from "../../../src/controller/OperatorPods.ts"

const missing = (where: string) => ({ where, what: "there is no operator Pod" })

describe("OperatorPods.note", () => {
  it("says nothing before a node has been in trouble for a while, since a rollout looks the same", () => {
    const pods = new OperatorPods()
    assert.isFalse(pods.note([missing("node-1")], "plenuslb", 1_000))
    assert.strictEqual(pods.patienceMillis(1_000), 15_000)
    assert.isFalse(pods.note([missing("node-1"), missing("node-2")], "plenuslb", 15_999))
    assert.strictEqual(pods.patienceMillis(15_999), 1)
    assert.isTrue(pods.note([missing("node-1"), missing("node-2")], "plenuslb", 16_000))
    assert.include(pods.message, "On node-1 there is no operator Pod.")
    assert.isFalse(pods.note([missing("node-1")], "plenuslb", 20_000), "nothing new")
  })

  it("begins anew after it was over", () => {
    const pods = new OperatorPods()
    pods.note([missing("node-1")], "plenuslb", 0)
    pods.note([missing("node-1")], "plenuslb", 15_000)
    assert.isTrue(pods.note([], "plenuslb", 16_000))
    assert.isUndefined(pods.message)
    assert.isFalse(pods.note([missing("node-1")], "plenuslb", 20_000))
  })
})
