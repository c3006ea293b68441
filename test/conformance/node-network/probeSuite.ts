/** What the port's `probe` promises: who has an address, as the segment itself says. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { type Address, parse } from "../../../src/domain/Address.ts"
import type { NodeNetworkError } from "../../../src/ports/NodeNetwork.ts"
import type { MakeWorld, World } from "./World.ts"

const a = (text: string): Address => Result.getOrThrow(parse(text))
const v4 = a("198.51.100.10")
const v6 = a("2001:db8:ffff::10")
const free4 = a("198.51.100.11")
const free6 = a("2001:db8:ffff::11")

const sorted = <A extends { readonly address: string }>(found: ReadonlyArray<A>) =>
  found.toSorted((left, right) => (left.address < right.address ? -1 : 1))

const refusalOf = (world: World, uplink: string, network = world.network) =>
  Effect.map(Effect.orDie(Effect.flip(network.probe([v4], uplink))), ({ message }) => message)

export const probeSuite = (name: string, makeWorld: MakeWorld, unavailable?: string): void => {
  const check = (sentence: string, body: (world: World) => Effect.Effect<void, NodeNetworkError>) =>
    it.live(sentence, () => Effect.scoped(Effect.flatMap(makeWorld, body)))

  describe.skipIf(unavailable !== undefined)(`NodeNetwork.probe on ${name}${unavailable ?? ""}`, () => {
    for (const address of [v4, v6]) {
      check(`names the hardware address of who has ${address}`, (world) =>
        Effect.gen(function* () {
          const mac = yield* world.foreignHost("up0", address)
          assert.deepStrictEqual(yield* world.network.probe([address], "up0"), [{ address, mac }])
        })
      )
      check(`names nobody for ${address} while nobody has it, and once he has gone`, (world) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* world.network.probe([address], "up0"), [])
          yield* world.foreignHost("up0", address)
          yield* world.foreignLeaves("up0", address)
          assert.deepStrictEqual(yield* world.network.probe([address], "up0"), [])
        })
      )
      check(`does not hear of ${address} when it is behind another uplink`, (world) =>
        Effect.gen(function* () {
          yield* world.foreignHost("up1", address)
          assert.deepStrictEqual(yield* world.network.probe([address], "up0"), [])
        })
      )
      check(`does not hear this node itself, which has ${address}`, (world) =>
        Effect.gen(function* () {
          yield* world.network.addAddress({ address, interfaceName: "up0" })
          assert.deepStrictEqual(yield* world.network.probe([address], "up0"), [])
        })
      )
    }
    check("of many addresses of both families, names those that somebody has", (world) =>
      Effect.gen(function* () {
        const mac = yield* world.foreignHost("up0", v4)
        yield* world.foreignHost("up0", v6)
        const found = yield* world.network.probe([free4, v4, free6, v6], "up0")
        assert.deepStrictEqual(sorted(found), [
          { address: v4, mac },
          { address: v6, mac }
        ])
      })
    )
    check("probes at the same time do not take each other's answers", (world) =>
      Effect.gen(function* () {
        const mac = yield* world.foreignHost("up0", v4)
        const probes = [[v4], [free4], [v4, free4]].map((each) => world.network.probe(each, "up0"))
        const found = yield* Effect.all(probes, { concurrency: "unbounded" })
        assert.deepStrictEqual(found, [[{ address: v4, mac }], [], [{ address: v4, mac }]])
      })
    )
    check("has nothing to ask for no address, even without the uplink", (world) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* world.network.probe([], "up7"), [])
      })
    )
    check("says that the uplink is missing", (world) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* refusalOf(world, "up7"), "probe: InterfaceMissing: there is no interface up7")
      })
    )
    check("says that the uplink is down", (world) =>
      Effect.gen(function* () {
        yield* world.setUp("up0", false)
        assert.strictEqual(yield* refusalOf(world, "up0"), "probe: ToolFailed: up0 is down")
      })
    )
    check("says that it lacks the right", (world) =>
      Effect.gen(function* () {
        assert.match(yield* refusalOf(world, "up0", yield* world.unprivileged), /^probe: NotPermitted: socat: /)
      })
    )
    check("says that its tool does not start, and does not take that for nobody", (world) =>
      Effect.gen(function* () {
        assert.match(yield* refusalOf(world, "up0", yield* world.toolless), /^probe: ToolFailed: did not start/)
      })
    )
  })
}
