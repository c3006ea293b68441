import { assert, describe, it } from "@effect/vitest"
import { Denied, Unavailable } from "../../../src/ports/Kubernetes.ts"
import { Resting } from "../../../src/simulation/world/Resting.ts"

const request = { user: "controller-1", method: "patch", group: "", plural: "services", name: "web" } as const
const denied = new Denied({ status: 403, message: "no" })
const unavailable = new Unavailable({ message: "no route" })

/** Refused at each of these seconds; asked at the last. */
const restAfter = (...refusals: ReadonlyArray<readonly [atSeconds: number, reason: Denied | Unavailable]>): number => {
  let nowMillis = 0
  const resting = new Resting(() => nowMillis)
  for (const [atSeconds, refuse] of refusals) {
    nowMillis = atSeconds * 1000
    resting.request(request, { refuse })
  }
  return resting.millis()
}

describe("Resting", () => {
  it("is no longer than twice the time of the refusals, and the first pause", () => {
    assert.strictEqual(restAfter(), 0)
    assert.strictEqual(restAfter([5, denied]), 1_000)
    assert.strictEqual(restAfter([5, denied], [12, denied], [30, denied]), 51_000)
  })

  it("is no longer than the cap of what refused last", () => {
    assert.strictEqual(restAfter([0, denied], [20, denied], [60, denied], [150, denied], [470, denied]), 300_000)
    assert.strictEqual(restAfter([0, denied], [20, denied], [60, unavailable]), 30_000)
  })

  it("begins anew after a success, which shows in that nothing was refused for long", () => {
    assert.strictEqual(restAfter([0, denied], [20, denied], [200, denied]), 1_000)
  })

  it("knows of one request that is not refused that it says nothing of the others", () => {
    let nowMillis = 0
    const resting = new Resting(() => nowMillis)
    resting.request(request, { refuse: denied })
    nowMillis = 10_000
    resting.request({ ...request, name: "api" }, { refuse: denied })
    resting.request(request, {})
    assert.strictEqual(resting.millis(), 1_000)
  })
})
