/** The contract of the fence, executable: run on the in-memory twin and on the kernel of a network namespace. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { type Address, fromBigInt, parse } from "../../../src/domain/Address.ts"
import type { FenceContent, FenceRenewal, FenceWrite } from "../../../src/ports/KernelFence.ts"
import type { NodeNetworkError } from "../../../src/ports/NodeNetwork.ts"
import type { MakeWorld, World } from "./World.ts"

const a = (text: string): Address => Result.getOrThrow(parse(text))
const v4 = { address: a("198.51.100.10"), interfaceName: "pl0" }
const v6 = { address: a("2001:db8:ffff::10"), interfaceName: "up0" }
const others = [a("198.51.100.11"), a("2001:db8:ffff::11")]
const owner = "0000a11c"
const long = 60_000

const served = { isAnswered: true, isAccepted: true }
const silent = { isAnswered: false, isAccepted: false }

/** With a ticket of its own, as an operator does it. */
const write = Effect.fnUntraced(function* (world: World, content: Partial<FenceWrite>) {
  const whole: FenceWrite = {
    managed: [],
    leased: [],
    uplinks: ["up0"],
    ticket: "00000001",
    owner,
    leaseMillis: long,
    ...content
  }
  yield* world.network.fence.putTicket(whole.ticket, long)
  yield* world.network.fence.write(whole)
})

const renew = Effect.fnUntraced(function* (world: World, lives: Pick<FenceRenewal, "leaseMillis" | "apartMillis">) {
  const ticket = "00000002"
  yield* world.network.fence.putTicket(ticket, long)
  yield* world.network.fence.renew({ ticket, owner, ...lives })
})

const refusalOf = (call: Effect.Effect<void, NodeNetworkError>) =>
  Effect.map(Effect.orDie(Effect.flip(call)), ({ category, method, reason }) => [
    method,
    category,
    reason._tag === "FenceRefused" ? reason.why : reason._tag
  ])

const contentOf = Effect.fnUntraced(function* (world: World) {
  const state = yield* world.network.fence.state
  return state === undefined ? "no table" : { managed: state.managed, leased: state.leased, uplinks: state.uplinks }
})

const many: ReadonlyArray<Address> = Array.from({ length: 600 }, (_, index) =>
  fromBigInt(index % 2 === 0 ? "IPv4" : "IPv6", (index % 2 === 0 ? 0xc6_12_00_00n : 1n << 125n) + BigInt(index))
)

/** `unavailable` says why it cannot run here; then it is skipped with that as its name. */
export const fenceSuite = (name: string, makeWorld: MakeWorld, unavailable?: string): void => {
  const check = (sentence: string, body: (world: World) => Effect.Effect<void, NodeNetworkError>) =>
    it.live(sentence, () => Effect.scoped(Effect.flatMap(makeWorld, body)))
  const claimed = (sentence: string, body: (world: World) => Effect.Effect<void, NodeNetworkError>) =>
    check(sentence, (world) => Effect.andThen(world.network.fence.claim(owner), body(world)))

  describe.skipIf(unavailable !== undefined)(`the fence on ${name}${unavailable ?? ""}`, () => {
    for (const held of [v4, v6]) {
      const { address } = held
      describe(`${address}:`, () => {
        claimed("answers while it is managed and leased", (world) =>
          Effect.gen(function* () {
            yield* world.network.addAddress(held)
            yield* write(world, { managed: [address], leased: [address] })
            assert.deepStrictEqual(yield* world.seek(address), served)
          })
        )
        claimed("is silent while it is managed and not leased, though it is on the interface", (world) =>
          Effect.gen(function* () {
            yield* write(world, { managed: [address], leased: [] })
            yield* world.network.addAddress(held)
            assert.deepStrictEqual(yield* world.seek(address), silent)
          })
        )
        claimed("falls silent by itself when its lease runs out", (world) =>
          Effect.gen(function* () {
            yield* world.network.addAddress(held)
            yield* write(world, { managed: [address], leased: [address], leaseMillis: 300 })
            yield* world.until(Effect.map(contentOf(world), (each) => each !== "no table" && each.leased.length === 0))
            assert.deepStrictEqual(yield* world.seek(address), silent)
          })
        )
        claimed("is not the fence's business unless it is managed", (world) =>
          Effect.gen(function* () {
            yield* world.network.addAddress(held)
            yield* write(world, { managed: others, leased: [] })
            assert.deepStrictEqual(yield* world.seek(address), served)
          })
        )
        claimed("answers again once it is leased anew", (world) =>
          Effect.gen(function* () {
            yield* world.network.addAddress(held)
            yield* write(world, { managed: [address], leased: [] })
            yield* write(world, { managed: [address], leased: [address] })
            assert.deepStrictEqual(yield* world.seek(address), served)
          })
        )
        claimed("answers once somebody has flushed all rules", (world) =>
          Effect.gen(function* () {
            yield* world.network.addAddress(held)
            yield* write(world, { managed: [address], leased: [] })
            yield* world.flushRuleset
            assert.deepStrictEqual(yield* world.seek(address), served)
          })
        )
      })
    }

    claimed("a renewal counts from now, not from the first write", (world) =>
      Effect.gen(function* () {
        const content = { managed: [v4.address], leased: [v4.address] }
        yield* write(world, { ...content, leaseMillis: 200 })
        yield* write(world, { ...content, leaseMillis: long })
        yield* write(world, { managed: [v4.address, others[0] ?? v4.address], leased: [v4.address], leaseMillis: long })
        yield* world.network.fence.putTicket("0000000b", 200)
        yield* world.until(Effect.map(world.network.fence.state, (each) => each?.ticket === undefined))
        assert.deepStrictEqual((yield* world.network.fence.state)?.leased, [v4.address])
      })
    )

    claimed("what is leased apart lives for a time of its own, shorter or longer, of both families", (world) =>
      Effect.gen(function* () {
        const here = [v4.address, v6.address]
        const content = { managed: [...here, ...others], uplinks: ["up0"] }
        const leasedNow = Effect.map(world.network.fence.state, (each) => each?.leased ?? [])
        yield* write(world, { ...content, leased: others, apart: here, apartMillis: 300 })
        yield* world.until(Effect.map(leasedNow, (leased) => leased.length === 2))
        assert.sameMembers([...(yield* leasedNow)], [...others])
        yield* write(world, {
          ...content,
          leased: others,
          leaseMillis: 300,
          apart: here,
          apartMillis: long
        })
        yield* world.until(Effect.map(leasedNow, (leased) => leased.length === 2))
        assert.sameMembers([...(yield* leasedNow)], here)
      })
    )

    claimed("a renewal states nothing but the time, and what was written last lives on", (world) =>
      Effect.gen(function* () {
        const content = { managed: [v4.address, v6.address, ...others], uplinks: ["up0"] }
        yield* world.network.addAddress(v4)
        yield* world.network.addAddress(v6)
        yield* write(world, { ...content, leased: [v4.address, v6.address], apart: others, leaseMillis: 300 })
        yield* renew(world, { leaseMillis: long, apartMillis: long })
        yield* world.network.fence.putTicket("0000000b", 400)
        yield* world.until(Effect.map(world.network.fence.state, (each) => each?.ticket === undefined))
        const state = yield* world.network.fence.state
        assert.deepStrictEqual(new Set(state?.leased), new Set(content.managed))
        assert.deepStrictEqual(new Set(state?.managed), new Set(content.managed))
        for (const address of [v4.address, v6.address]) assert.deepStrictEqual(yield* world.seek(address), served)
      })
    )

    claimed("a renewal of no time ends what is leased, and one after it brings it back", (world) =>
      Effect.gen(function* () {
        yield* world.network.addAddress(v4)
        yield* write(world, { managed: [v4.address], leased: [v4.address] })
        yield* renew(world, { leaseMillis: 0, apartMillis: long })
        assert.deepStrictEqual(yield* world.seek(v4.address), silent)
        yield* renew(world, { leaseMillis: long })
        assert.deepStrictEqual(yield* world.seek(v4.address), served)
      })
    )

    claimed("what is written with no time is not served before a renewal", (world) =>
      Effect.gen(function* () {
        yield* world.network.addAddress(v6)
        yield* write(world, { managed: [v6.address], leased: [v6.address], leaseMillis: 0 })
        assert.deepStrictEqual(yield* world.seek(v6.address), silent)
        yield* renew(world, { leaseMillis: long })
        assert.deepStrictEqual(yield* world.seek(v6.address), served)
      })
    )

    // On a kernel five hundred are one datagram of nearly 32 KiB; of six hundred nft writes the first, then what differs follows.
    for (const count of [100, 500, 600]) {
      claimed(`keeps ${count} addresses of both families, and only these`, (world) =>
        Effect.gen(function* () {
          const all = many.slice(0, count)
          yield* write(world, { managed: others, leased: others })
          yield* write(world, { managed: all, leased: all })
          const state = yield* world.network.fence.state
          assert.deepStrictEqual(new Set(state?.leased), new Set(all))
          assert.deepStrictEqual(new Set(state?.managed), new Set(all))
        })
      )
      claimed(`changes some of ${count}, and only these`, (world) =>
        Effect.gen(function* () {
          const all = many.slice(0, count)
          yield* write(world, { managed: all, leased: all })
          const next = [...all.slice(7), ...others]
          yield* write(world, { managed: next, leased: next.slice(2), apart: next.slice(0, 2), apartMillis: long })
          yield* write(world, { managed: next, leased: next.slice(3), apart: next.slice(0, 1), apartMillis: long })
          const state = yield* world.network.fence.state
          assert.deepStrictEqual(new Set(state?.managed), new Set(next))
          assert.deepStrictEqual(new Set(state?.leased), new Set([...next.slice(0, 1), ...next.slice(3)]))
        })
      )
      claimed(`puts right what a foreign hand did to ${count}, once it is doubted`, (world) =>
        Effect.gen(function* () {
          const all = many.slice(0, count)
          yield* write(world, { managed: all, leased: all })
          yield* world.foreignUnmanages(all[0] ?? v4.address)
          yield* world.network.fence.doubt
          yield* write(world, { managed: all, leased: all })
          assert.deepStrictEqual(new Set((yield* world.network.fence.state)?.managed), new Set(all))
        })
      )
      claimed(
        `changes ${count} of which a foreign hand has taken what is to go, at the second attempt at most`,
        (world) =>
          Effect.gen(function* () {
            const all = many.slice(0, count)
            yield* write(world, { managed: all, leased: all })
            yield* world.foreignUnmanages(all[0] ?? v4.address)
            const next = { managed: all.slice(1), leased: all.slice(1) }
            yield* Effect.catch(write(world, next), () => write(world, next))
            assert.deepStrictEqual(new Set((yield* world.network.fence.state)?.managed), new Set(next.managed))
          })
      )
    }

    const whole: FenceContent = { managed: [v4.address, v6.address], leased: [v6.address], uplinks: ["up0"] }
    claimed("a write replaces all there was", (world) =>
      Effect.gen(function* () {
        yield* write(world, { managed: others, leased: others, uplinks: ["up0", "up1"] })
        yield* write(world, whole)
        assert.deepStrictEqual(yield* contentOf(world), whole)
      })
    )

    const before = { managed: others, leased: others, uplinks: ["up0"] }
    const late = { ...whole, ticket: "0000000c", owner, leaseMillis: long }
    const writings: ReadonlyArray<readonly [string, (world: World) => Effect.Effect<void, NodeNetworkError>]> = [
      ["write", ({ network }) => network.fence.write(late)],
      ["renewal, even of no time,", ({ network }) => network.fence.renew({ ...late, leaseMillis: 0 })]
    ]
    describe.each(writings)("refuses a %s and changes nothing,", (_kind, lately) => {
      claimed("whose ticket has expired", (world) =>
        Effect.gen(function* () {
          yield* write(world, before)
          yield* world.network.fence.putTicket(late.ticket, 20)
          yield* world.until(Effect.map(world.network.fence.state, (each) => each?.ticket === undefined))
          assert.deepStrictEqual(yield* refusalOf(lately(world)), ["fence", "transient", "TicketExpired"])
          assert.deepStrictEqual(yield* contentOf(world), before)
        })
      )
      claimed("whose ticket was replaced by a later one", (world) =>
        Effect.gen(function* () {
          yield* write(world, before)
          yield* world.network.fence.putTicket(late.ticket, long)
          yield* world.network.fence.putTicket("0000000d", long)
          assert.deepStrictEqual(yield* refusalOf(lately(world)), ["fence", "transient", "TicketExpired"])
          assert.deepStrictEqual(yield* contentOf(world), before)
        })
      )
      claimed("whose ticket is used up", (world) =>
        Effect.gen(function* () {
          yield* write(world, { ...before, ticket: late.ticket })
          assert.deepStrictEqual(yield* refusalOf(lately(world)), ["fence", "transient", "TicketExpired"])
          assert.deepStrictEqual(yield* contentOf(world), before)
        })
      )
      claimed("of a process that another one has succeeded", (world) =>
        Effect.gen(function* () {
          yield* write(world, before)
          yield* world.network.fence.claim("0000b0b0")
          yield* world.network.fence.putTicket(late.ticket, long)
          assert.deepStrictEqual(yield* refusalOf(lately(world)), ["fence", "transient", "OtherOwner"])
          assert.deepStrictEqual(yield* contentOf(world), before)
        })
      )
      claimed("after somebody has flushed all rules", (world) =>
        Effect.gen(function* () {
          yield* write(world, before)
          yield* world.flushRuleset
          assert.deepStrictEqual(yield* refusalOf(world.network.fence.putTicket("0000000e", long)), [
            "fence",
            "transient",
            "NoTable"
          ])
          assert.deepStrictEqual(yield* refusalOf(lately(world)), ["fence", "transient", "NoTable"])
          assert.deepStrictEqual(yield* contentOf(world), "no table")
        })
      )
    })

    claimed("whoever claims it leaves what is in it, and voids the tickets that are about", (world) =>
      Effect.gen(function* () {
        yield* write(world, whole)
        yield* world.network.fence.putTicket("0000000f", long)
        yield* world.network.fence.claim("0000b0b0")
        assert.deepStrictEqual(yield* contentOf(world), whole)
        const state = yield* world.network.fence.state
        assert.deepStrictEqual([state?.owner, state?.ticket], ["0000b0b0", undefined])
      })
    )

    check("nothing is fenced before it is claimed, nor after it is removed, which may be done twice", (world) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* contentOf(world), "no table")
        yield* world.network.fence.claim(owner)
        yield* world.network.fence.remove
        yield* world.network.fence.remove
        assert.deepStrictEqual(yield* contentOf(world), "no table")
      })
    )

    const calls: ReadonlyArray<
      readonly [string, (world: World["network"]) => Effect.Effect<unknown, NodeNetworkError>]
    > = [
      ["claim", ({ fence }) => fence.claim(owner)],
      ["state", ({ fence }) => fence.state]
    ]
    for (const [method, call] of calls) {
      claimed(`${method} without the capability is not permitted, which only a person can change`, (world) =>
        Effect.gen(function* () {
          const error = yield* Effect.orDie(Effect.flip(call(yield* world.unprivileged)))
          assert.deepStrictEqual([error.method, error.reason._tag], ["fence", "NotPermitted"])
        })
      )
      claimed(`${method} without nft is a failure of the tool, to be tried again`, (world) =>
        Effect.gen(function* () {
          const error = yield* Effect.orDie(Effect.flip(call(yield* world.toolless)))
          assert.deepStrictEqual(
            [error.method, error.reason._tag, error.category],
            ["fence", "ToolFailed", "transient"]
          )
        })
      )
    }
  })
}
