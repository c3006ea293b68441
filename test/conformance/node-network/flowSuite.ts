/** What the port's `forgetFlows` promises. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { type Address, fromBigInt, parse } from "../../../src/domain/Address.ts"
import type { NodeNetworkError } from "../../../src/ports/NodeNetwork.ts"
import type { MakeWorld, World } from "./World.ts"

const a = (text: string): Address => Result.getOrThrow(parse(text))
const [v4, v6, other4, other6] = ["198.51.100.10", "2001:db8:ffff::10", "198.51.100.11", "2001:db8:ffff::11"].map(a)
const all = [v4, v6, other4, other6].flatMap((each) => each ?? [])

const alike = ["198.51.100.1", "198.51.100.2", "198.51.100.3"].map(a)

const refusalOf = ({ network }: Pick<World, "network">, addresses = [a("198.51.100.10")]) =>
  Effect.map(Effect.orDie(Effect.flip(network.forgetFlows(addresses))), ({ message }) => message)

export const flowSuite = (name: string, makeWorld: MakeWorld, unavailable?: string): void => {
  const check = (sentence: string, body: (world: World) => Effect.Effect<void, NodeNetworkError>) =>
    it.live(sentence, () => Effect.scoped(Effect.flatMap(makeWorld, body)))

  describe.skipIf(unavailable !== undefined)(`NodeNetwork.forgetFlows on ${name}${unavailable ?? ""}`, () => {
    check("forgets the UDP flows to these addresses of both families, and no others", (world) =>
      Effect.gen(function* () {
        yield* Effect.forEach(all, (to) => world.track("udp", to))
        yield* world.network.forgetFlows(all.slice(0, 2))
        assert.deepStrictEqual(
          (yield* world.flows).toSorted(),
          all
            .slice(2)
            .map((to) => `udp ${to}`)
            .toSorted()
        )
      })
    )
    check("leaves TCP connections alone", (world) =>
      Effect.gen(function* () {
        yield* Effect.forEach(all, (to) => world.track("tcp", to))
        yield* world.network.forgetFlows(all)
        assert.deepStrictEqual((yield* world.flows).toSorted(), all.map((to) => `tcp ${to}`).toSorted())
      })
    )
    check("has nothing to do where there is no such flow, among 50 addresses", (world) =>
      Effect.gen(function* () {
        const many = Array.from({ length: 50 }, (_, index) => fromBigInt("IPv4", 0xc6_33_64_64n + BigInt(index)))
        yield* Effect.forEach(all, (to) => world.track("udp", to))
        yield* world.network.forgetFlows([...many, ...all])
        assert.deepStrictEqual(yield* world.flows, [])
      })
    )
    check("says that it lacks the right, for one address and for several", (world) =>
      Effect.gen(function* () {
        const network = yield* world.unprivileged
        assert.match(yield* refusalOf({ network }), /^forgetFlows: NotPermitted: /)
        assert.match(yield* refusalOf({ network }, alike), /^forgetFlows: NotPermitted: /)
      })
    )
    check("says that its tool does not start", (world) =>
      Effect.gen(function* () {
        const network = yield* world.toolless
        assert.match(yield* refusalOf({ network }), /^forgetFlows: ToolFailed: /)
      })
    )
  })
}
