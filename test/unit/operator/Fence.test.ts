import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import { TestClock } from "effect/testing"
import { type Address, parse } from "../../../src/domain/Address.ts"
import * as MemoryNodeNetwork from "../../../src/memory/network/MemoryNodeNetwork.ts"
import * as Fence from "../../../src/operator/Fence.ts"
import { FenceRefused, type KernelFence } from "../../../src/ports/KernelFence.ts"
import { NodeNetworkError, ToolFailed } from "../../../src/ports/NodeNetwork.ts"
import { monotonicMillis } from "../../../src/reconcile/Monotonic.ts"

const a = (text: string): Address => Result.getOrThrow(parse(text))
const [web, api] = [a("192.0.2.10"), a("192.0.2.11")]
const content = { managed: [web, api], leased: [web], uplinks: ["eth0"], byRenewal: [] }

interface Site {
  readonly node: MemoryNodeNetwork.Handle
  readonly kernel: KernelFence
  readonly fence: Fence.Fence
  /** The node may serve for so long from now on. */
  readonly allow: (millis: number) => Effect.Effect<void>
  /** By the word of its voters. */
  readonly keep: (millis: number) => Effect.Effect<void>
}

const site = (change: (kernel: KernelFence) => KernelFence = (kernel) => kernel): Effect.Effect<Site> =>
  Effect.gen(function* () {
    const node = MemoryNodeNetwork.make()
    const kernel = change(node.network.fence)
    let renewedUntilMillis = Number.NEGATIVE_INFINITY
    let keptUntilMillis = Number.NEGATIVE_INFINITY
    const fence = yield* Fence.make({
      kernel,
      owner: "0000a11c",
      ticketMillis: 300,
      untilMillis: () => Math.max(renewedUntilMillis, keptUntilMillis),
      renewedUntilMillis: () => renewedUntilMillis
    })
    const allow = (millis: number) => Effect.map(monotonicMillis, (now) => void (renewedUntilMillis = now + millis))
    const keep = (millis: number) => Effect.map(monotonicMillis, (now) => void (keptUntilMillis = now + millis))
    return { node, kernel: node.network.fence, fence, allow, keep }
  })

const leased = ({ kernel }: Site) => Effect.map(Effect.orDie(kernel.state), (state) => state?.leased ?? "no table")

/** Registered, and renewed since it owns the fence. */
const begun = (fence: Fence.Fence) => Effect.andThen(fence.begin, fence.renew)

/** The fence of a process that may serve for five seconds from now on, and has set what it serves. */
const serving = Effect.gen(function* () {
  const here = yield* site()
  yield* begun(here.fence)
  yield* here.allow(5_000)
  yield* here.fence.set(content)
  return here
})

/** How often each was called of a kernel that is otherwise as `change` makes it. */
const counting = (change: (kernel: KernelFence) => KernelFence = (kernel) => kernel) => {
  const calls = { write: 0, renew: 0 }
  const counted = (kernel: KernelFence): KernelFence => ({
    ...kernel,
    write: (write) => Effect.suspend(() => (calls.write++, kernel.write(write))),
    renew: (renewal) => Effect.suspend(() => (calls.renew++, kernel.renew(renewal)))
  })
  return { calls, change: (kernel: KernelFence) => counted(change(kernel)) }
}

/** What a process before this one may serve for five seconds from now on. */
const leftBehind = ({ kernel }: Site) =>
  Effect.gen(function* () {
    const [owner, ticket] = ["0000b0b0", "00000001"]
    yield* kernel.claim(owner)
    yield* kernel.putTicket(ticket, 300)
    yield* kernel.write({ ...content, ticket, owner, leaseMillis: 5_000 })
  })

const slow = (kernel: KernelFence): KernelFence => ({
  ...kernel,
  write: (write) => Effect.andThen(Effect.sleep(299), kernel.write(write))
})

describe("the fence of an operator", () => {
  it.effect("lets be served what is set, until the lease runs out", () =>
    Effect.gen(function* () {
      const { allow, fence, ...rest } = yield* site()
      yield* begun(fence)
      yield* allow(5_000)
      yield* fence.set(content)
      yield* TestClock.adjust(4_999)
      assert.deepStrictEqual(yield* leased({ allow, fence, ...rest }), [web])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* leased({ allow, fence, ...rest }), [])
    })
  )

  it.effect("lets nothing be served whose lease has run out, and judges it all the same", () =>
    Effect.gen(function* () {
      const { fence, kernel } = yield* site()
      yield* begun(fence)
      yield* fence.set(content)
      const state = yield* kernel.state
      assert.deepStrictEqual([state?.managed, state?.leased], [content.managed, []])
    })
  )

  it.effect("renews what was set last", () =>
    Effect.gen(function* () {
      const here = yield* serving
      yield* TestClock.adjust(4_000)
      yield* here.allow(5_000)
      yield* here.fence.renew
      yield* TestClock.adjust(4_000)
      assert.deepStrictEqual(yield* leased(here), [web])
    })
  )

  it.effect("a write that is delayed behind its ticket lives on for no longer than that", () =>
    Effect.gen(function* () {
      const here = yield* site(slow)
      yield* begun(here.fence)
      yield* here.allow(5_000)
      const setting = yield* Effect.forkChild(here.fence.set(content))
      yield* TestClock.adjust(299)
      yield* Fiber.join(setting)
      yield* TestClock.adjust(4_999)
      assert.deepStrictEqual(yield* leased(here), [web])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* leased(here), [])
    })
  )

  it.effect("a write that comes after its ticket is made once more, by a ticket of its own", () =>
    Effect.gen(function* () {
      const tickets: Array<string> = []
      const late = (kernel: KernelFence): KernelFence => ({
        ...kernel,
        putTicket: (ticket, life) =>
          Effect.andThen(
            Effect.sync(() => void tickets.push(ticket)),
            kernel.putTicket(ticket, life)
          ),
        write: (write) => (tickets.length === 1 ? expired : kernel.write(write))
      })
      const here = yield* site(late)
      yield* begun(here.fence)
      yield* here.allow(5_000)
      yield* here.fence.set(content)
      assert.deepStrictEqual(yield* leased(here), [web])
      assert.strictEqual(new Set(tickets).size, 2)
    })
  )

  it.effect("and fails, when that one is late as well", () =>
    Effect.gen(function* () {
      const { allow, fence } = yield* site((kernel) => ({ ...kernel, write: () => expired }))
      yield* begun(fence)
      yield* allow(5_000)
      assert.match((yield* Effect.flip(fence.set(content))).message, /too late after its ticket/)
    })
  )

  it.effect(
    "has the word of the voters extend all but what lives by renewals alone, which keeps the time that it had",
    () =>
      Effect.gen(function* () {
        const here = yield* serving
        yield* here.fence.set({ ...content, leased: [web, api], byRenewal: [api] })
        yield* TestClock.adjust(3_000)
        yield* here.keep(5_000)
        yield* here.fence.renew
        yield* TestClock.adjust(1_999)
        assert.sameMembers([...(yield* leased(here))], [web, api])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* leased(here), [web])
        yield* here.keep(5_000)
        yield* here.fence.renew
        assert.deepStrictEqual(yield* leased(here), [web], "what has run out comes back by a renewal alone")
        yield* here.allow(5_000)
        yield* here.fence.renew
        assert.sameMembers([...(yield* leased(here))], [web, api])
      })
  )

  it.effect("keeps nothing by the word of the voters before it knows what they may keep", () =>
    Effect.gen(function* () {
      const here = yield* site()
      yield* leftBehind(here)
      yield* begun(here.fence)
      yield* here.keep(5_000)
      yield* here.fence.renew
      assert.deepStrictEqual(yield* leased(here), [])
      yield* here.allow(1_000)
      yield* here.fence.set(content)
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(yield* leased(here), [web])
    })
  )

  it.effect("does not make tables anew that somebody took away, until the lease was renewed", () =>
    Effect.gen(function* () {
      const here = yield* serving
      here.node.fence.remove()
      const more = { ...content, leased: [web, api] }
      assert.isTrue(Fence.isTableGone(yield* Effect.flip(here.fence.set(more))))
      assert.strictEqual(yield* leased(here), "no table")
      assert.isFalse(yield* here.fence.renew)
      assert.isTrue(Fence.isTableGone(yield* Effect.flip(here.fence.set(more))), "another renewal is to prove it")
      assert.isTrue(yield* here.fence.renew)
      assert.deepStrictEqual(yield* leased(here), [web, api])
    })
  )

  it.effect("closes also when its tables are gone", () =>
    Effect.gen(function* () {
      const here = yield* serving
      here.node.fence.remove()
      yield* here.fence.close
      const state = yield* here.kernel.state
      assert.deepStrictEqual([state?.managed, state?.leased], [content.managed, []])
    })
  )

  it.effect("may let go of everything after that, without another renewal", () =>
    Effect.gen(function* () {
      const here = yield* serving
      here.node.fence.remove()
      yield* here.fence.close
      yield* here.fence.set({ managed: [], leased: [], uplinks: [], byRenewal: [] })
      assert.deepStrictEqual((yield* here.kernel.state)?.managed, [])
    })
  )

  it.effect("makes tables anew with the next renewal also while it holds nothing", () =>
    Effect.gen(function* () {
      const here = yield* site()
      yield* begun(here.fence)
      yield* here.fence.set({ managed: [], leased: [], uplinks: ["eth0"], byRenewal: [] })
      here.node.fence.remove()
      assert.isFalse(yield* here.fence.renew)
      assert.isTrue(yield* here.fence.renew)
      yield* here.allow(5_000)
      yield* here.fence.set(content)
      assert.deepStrictEqual(yield* leased(here), [web])
    })
  )

  it.effect("makes tables anew at once where nothing is to be served", () =>
    Effect.gen(function* () {
      const here = yield* site()
      yield* begun(here.fence)
      yield* here.allow(5_000)
      here.node.fence.remove()
      yield* here.fence.set({ ...content, leased: [] })
      assert.deepStrictEqual((yield* here.kernel.state)?.managed, content.managed)
    })
  )

  it.effect("names the process that has come after it, and changes nothing", () =>
    Effect.gen(function* () {
      const here = yield* serving
      yield* here.kernel.claim("0000b0b0")
      const error = yield* Effect.flip(here.fence.renew)
      assert.strictEqual(Fence.overtakerIn(error), "0000b0b0")
      assert.deepStrictEqual(yield* leased(here), [web])
    })
  )

  it.effect("learns from the kernel what the process before has left", () =>
    Effect.gen(function* () {
      const here = yield* site()
      yield* leftBehind(here)
      yield* begun(here.fence)
      assert.deepStrictEqual(here.fence.current(), { ...content, byRenewal: [web] })
    })
  )

  it.effect("tells the kernel nothing twice", () =>
    Effect.gen(function* () {
      const { calls, change } = counting()
      const { allow, fence } = yield* site(change)
      yield* begun(fence)
      yield* allow(5_000)
      yield* fence.set(content)
      yield* fence.set({ ...content, managed: [...content.managed] })
      assert.deepStrictEqual(calls, { write: 1, renew: 0 })
    })
  )

  it.effect("states the addresses when they change, and else every ten seconds; a renewal states the time alone", () =>
    Effect.gen(function* () {
      const { calls, change } = counting()
      const here = yield* site(change)
      yield* begun(here.fence)
      yield* here.allow(60_000)
      yield* here.fence.set(content)
      for (let second = 1; second <= 21; second += 1) {
        yield* TestClock.adjust(1_000)
        yield* here.allow(60_000)
        yield* here.fence.renew
      }
      assert.deepStrictEqual(calls, { write: 3, renew: 19 })
    })
  )

  it.effect("puts right within ten seconds what a foreign hand has changed in its tables", () =>
    Effect.gen(function* () {
      const here = yield* serving
      const foreign = { ...content, managed: [], leased: [], ticket: "00000001", owner: "0000a11c", leaseMillis: 0 }
      yield* here.kernel.putTicket("00000001", 300)
      yield* here.kernel.write(foreign)
      yield* TestClock.adjust(10_000)
      yield* here.allow(5_000)
      yield* here.fence.renew
      assert.deepStrictEqual([(yield* here.kernel.state)?.managed, yield* leased(here)], [content.managed, [web]])
    })
  )

  it.effect("a renewal that comes after its ticket states all of it, by another one", () =>
    Effect.gen(function* () {
      const { calls, change } = counting((kernel) => ({ ...kernel, renew: () => expired }))
      const here = yield* site(change)
      yield* begun(here.fence)
      yield* here.allow(5_000)
      yield* here.fence.set(content)
      yield* TestClock.adjust(4_000)
      yield* here.allow(5_000)
      yield* here.fence.renew
      yield* TestClock.adjust(4_999)
      assert.deepStrictEqual(yield* leased(here), [web])
      assert.deepStrictEqual(calls, { write: 2, renew: 1 })
    })
  )

  it.effect("states all of it after a renewal of which nobody knows what it did", () =>
    Effect.gen(function* () {
      const { calls, change } = counting((kernel) => ({
        ...kernel,
        renew: () =>
          Effect.fail(
            new NodeNetworkError({ method: "fence", reason: new ToolFailed({ tool: "nft", message: "silent" }) })
          )
      }))
      const here = yield* site(change)
      yield* begun(here.fence)
      yield* here.allow(5_000)
      yield* here.fence.set(content)
      yield* Effect.flip(here.fence.renew)
      yield* here.fence.set(content)
      assert.deepStrictEqual(calls, { write: 2, renew: 1 })
    })
  )

  it.effect("tells the kernel much in short writes, and all of it at once when nothing may be served any more", () =>
    Effect.gen(function* () {
      const { calls, change } = counting()
      const here = yield* site(change)
      const many = Array.from({ length: 900 }, (_, index) => a(`198.18.${index >> 8}.${index & 255}`))
      yield* begun(here.fence)
      yield* here.allow(5_000)
      yield* here.fence.set({ ...content, managed: many, leased: many })
      assert.deepStrictEqual(yield* leased(here), many)
      assert.strictEqual(calls.write, 5)
      yield* here.fence.set({ ...content, managed: many, leased: [] })
      assert.strictEqual(calls.write, 6)
    })
  )

  it.effect("judges nothing, where kernels are to keep no leases", () =>
    Effect.gen(function* () {
      yield* Fence.none.set(content)
      assert.deepStrictEqual(Fence.none.current(), { managed: [], leased: [], uplinks: [], byRenewal: [] })
    })
  )
})

const expired = Effect.fail(
  new NodeNetworkError({ method: "fence", reason: new FenceRefused({ why: "TicketExpired" }) })
)
