/** What would leave the simulation throws during a run, names itself, and is as before afterwards. */
import { assert, describe, it } from "@effect/vitest"
import { Ambient, withGuard } from "../../../src/simulation/kernel/Guard.ts"

const attempts: ReadonlyArray<readonly [string, () => unknown]> = [
  ["setTimeout", () => setTimeout(() => {}, 0)],
  ["setInterval", () => setInterval(() => {}, 0)],
  ["setImmediate", () => setImmediate(() => {})],
  ["queueMicrotask", () => queueMicrotask(() => {})],
  ["Promise", () => new Promise(() => {})],
  ["Promise", () => Promise.resolve(1)],
  ["fetch", () => fetch("http://localhost")],
  ["Date.now", () => Date.now()],
  ["new Date()", () => new Date()],
  ["Math.random", () => Math.random()],
  ["performance.now", () => performance.now()],
  ["process.nextTick", () => process.nextTick(() => {})],
  ["process.hrtime", () => process.hrtime()],
  ["crypto.getRandomValues", () => crypto.getRandomValues(new Uint8Array(1))],
  ["crypto.randomUUID", () => crypto.randomUUID()]
]

const thrownBy = (attempt: () => unknown): unknown => {
  try {
    return attempt()
  } catch (error) {
    return error
  }
}

const ambient = () => [
  setTimeout,
  setInterval,
  setImmediate,
  queueMicrotask,
  Promise,
  fetch,
  Date,
  Date.now,
  Math.random,
  performance.now,
  process.nextTick,
  process.hrtime,
  crypto.getRandomValues,
  crypto.randomUUID
]

describe("withGuard", () => {
  it.each(attempts)("lets nobody use %s during a run", (name, attempt) => {
    const error = withGuard(() => thrownBy(attempt))
    assert.instanceOf(error, Ambient)
    assert.include(String(error), name)
  })

  it("puts everything back, also when the run throws", () => {
    const before = ambient()
    withGuard(() => undefined)
    assert.isTrue(ambient().every((each, index) => each === before[index]))
    thrownBy(() =>
      withGuard(() => {
        throw new Error("died")
      })
    )
    assert.isTrue(ambient().every((each, index) => each === before[index]))
  })

  it("leaves the arithmetic of dates alone", () => {
    assert.strictEqual(
      withGuard(() => new Date(0).toISOString()),
      "1970-01-01T00:00:00.000Z"
    )
    assert.isTrue(withGuard(() => new Date(5) instanceof Date))
  })
})
