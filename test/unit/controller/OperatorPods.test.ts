import { assert, describe, it } from "@effect/vitest"
import type { DaemonSet } from "../../../src/api/DaemonSet.ts"
import { OperatorPods } from "../../../src/controller/OperatorPods.ts"

const daemonSet = (desiredNumberScheduled: number, currentNumberScheduled: number): DaemonSet => ({
  metadata: { name: "plenuslb-operator", namespace: "plenuslb" },
  status: { desiredNumberScheduled, currentNumberScheduled }
})

describe("OperatorPods.shortage", () => {
  it("is none while every node that should run an operator has its Pod, or there is no DaemonSet", () => {
    const pods = new OperatorPods()
    assert.isUndefined(pods.shortage(undefined, 0))
    assert.isUndefined(pods.shortage(daemonSet(3, 3), 0))
  })

  it("is told after a while only, since a rollout looks the same, and says what to look at", () => {
    const pods = new OperatorPods()
    assert.deepStrictEqual(pods.shortage(daemonSet(3, 0), 1_000), { message: undefined, afterMillis: 15_000 })
    assert.isUndefined(pods.shortage(daemonSet(3, 1), 15_999)?.message)
    assert.include(pods.shortage(daemonSet(3, 1), 16_000)?.message ?? "", "plenuslb/plenuslb-operator: 2 of 3 nodes")
  })

  it("begins anew after it was over", () => {
    const pods = new OperatorPods()
    pods.shortage(daemonSet(3, 0), 0)
    pods.shortage(daemonSet(3, 3), 14_000)
    assert.isUndefined(pods.shortage(daemonSet(3, 0), 20_000)?.message)
  })
})
