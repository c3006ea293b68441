/** How long a machine is excused that stood still as a whole: its kernel's clock stood still with it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { Kernel } from "../../../src/simulation/kernel/Kernel.ts"
import { Host } from "../../../src/simulation/world/Host.ts"

const owner = "0123abcd"
const ticket = "89abcdef"

/** Milliseconds after it went on again for which a machine was excused that stood still for a minute, by its lease then. */
const excusedMillis = (leaseMillis: number): number => {
  const kernel = new Kernel({ seed: 1, preemption: 0 })
  const events = { onKernel: () => {}, onAnnouncement: () => {}, onProbe: () => [] }
  const host = new Host(1, kernel, events)
  const { fence } = host.network
  fence.claim(owner)
  const { nowMillis } = kernel
  fence.putTicket(ticket, 100, nowMillis)
  const content = { managed: [host.address], leased: [host.address], uplinks: ["eth0"] }
  assert.isUndefined(fence.write({ owner, ticket, ...content, leaseMillis }, nowMillis))
  const program = Effect.gen(function* () {
    host.setFrozen(true)
    yield* Effect.sleep(60_000)
    host.setFrozen(false)
    const thawedMillis = kernel.nowMillis
    while (host.isThawing) yield* Effect.sleep(100)
    return kernel.nowMillis - thawedMillis
  })
  const exit = kernel.run(program)
  if (Exit.isSuccess(exit)) return exit.value
  throw new Error(String(exit.cause))
}

describe("a machine that stood still as a whole", () => {
  it("is excused for as long as the lease that its kernel was given for a handover", () => {
    assert.closeTo(excusedMillis(50_000), 50_000, 200)
  })

  it("is excused no longer than any machine if its kernel was given no such lease", () => {
    assert.strictEqual(excusedMillis(1_000), excusedMillis(0))
    assert.isBelow(excusedMillis(0), 10_000)
  })
})
