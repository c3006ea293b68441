/** The contract of the NodeNetwork port, executable: run on the in-memory twin and on a real network namespace. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue, Result, Stream } from "effect"
import { type Address, fromBigInt, parse } from "../../../src/domain/Address.ts"
import type { NetworkState, NodeNetwork, NodeNetworkError } from "../../../src/ports/NodeNetwork.ts"
import { addressesOf, interfaceOf } from "./Reading.ts"
import type { MakeWorld, World } from "./World.ts"

const a = (text: string): Address => Result.getOrThrow(parse(text))
const v4 = a("192.0.2.10")
const v6 = a("2001:db8::10")
const documentation4 = 0xc6_12_00_00n // 198.18.0.0/15, for benchmarks
const many = (count: number): ReadonlyArray<Address> =>
  Array.from({ length: count }, (_, index) => fromBigInt("IPv4", documentation4 + BigInt(index)))

const held = (address: Address, interfaceName = "pl0") => ({ address, interfaceName })
const permanent = { scope: "global" }

const reasonOf = <A>(effect: Effect.Effect<A, NodeNetworkError>): Effect.Effect<NodeNetworkError> =>
  Effect.orDie(Effect.flip(effect))

const macOf = (world: World, uplink: string) =>
  Effect.map(world.network.state, (state) => interfaceOf(state, uplink).mac)

/** The addresses of one interface after `change`. */
const after = Effect.fnUntraced(function* (world: World, interfaceName: string) {
  return addressesOf(yield* world.network.state, interfaceName)
})

/** `unavailable` says why it cannot run here; then it is skipped with that as its name. */
export const nodeNetworkSuite = (name: string, makeWorld: MakeWorld, unavailable?: string): void => {
  const check = (sentence: string, body: (world: World) => Effect.Effect<void, NodeNetworkError>) =>
    it.live(sentence, () => Effect.scoped(Effect.flatMap(makeWorld, body)))

  describe.skipIf(unavailable !== undefined)(`NodeNetwork on ${name}${unavailable ?? ""}`, () => {
    describe("state", () => {
      check("says of each interface its kind, and that it is up", (world) =>
        Effect.gen(function* () {
          const state = yield* world.network.state
          const seen = ["lo", "pl0", "up0"].map((each) => {
            const { kind, up } = interfaceOf(state, each)
            return `${each} ${kind} ${up ? "up" : "down"}`
          })
          assert.deepStrictEqual(seen, ["lo loopback up", "pl0 bridge up", "up0 other up"])
        })
      )
      check("gives every interface an index of its own and a hardware address", (world) =>
        Effect.gen(function* () {
          const { interfaces } = yield* world.network.state
          assert.strictEqual(new Set(interfaces.map(({ index }) => index)).size, interfaces.length)
          for (const each of interfaces) assert.match(each.mac, /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, each.name)
          const uplinks = interfaces.filter(({ name }) => name.startsWith("up"))
          assert.strictEqual(new Set(uplinks.map(({ mac }) => mac)).size, 2)
        })
      )
      check("what was read stays as it was read", (world) =>
        Effect.gen(function* () {
          const before = yield* world.network.state
          yield* world.network.addAddress(held(v4))
          yield* world.setUp("up1", false)
          assert.deepStrictEqual(addressesOf(before, "pl0"), [])
          assert.isTrue(interfaceOf(before, "up1").up)
        })
      )
      check("says that an interface is down", (world) =>
        Effect.gen(function* () {
          yield* world.setUp("up1", false)
          assert.isFalse(interfaceOf(yield* world.network.state, "up1").up)
        })
      )
      check("lists an interface that was made, and no longer when it was deleted", (world) =>
        Effect.gen(function* () {
          const names = Effect.map(world.network.state, (state) => state.interfaces.map((each) => each.name))
          yield* world.createBridge("br9")
          assert.include(yield* names, "br9")
          yield* world.deleteInterface("br9")
          assert.notInclude(yield* names, "br9")
        })
      )
      check("names the ports of a bridge, and none of an empty one", (world) =>
        Effect.gen(function* () {
          yield* world.createBridge("br9")
          yield* world.attachPort("up1", "br9")
          const state = yield* world.network.state
          assert.deepStrictEqual(interfaceOf(state, "br9").ports, ["up1"])
          assert.deepStrictEqual(interfaceOf(state, "pl0").ports, [])
        })
      )
      check("shows the addresses of both families with prefix length, scope and label", (world) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* after(world, "up0"), [
            "198.51.100.2/24 scope global label up0",
            "2001:db8:ffff::2/64 scope global"
          ])
        })
      )
      check("shows how long an address is valid that somebody put there for a time", (world) =>
        Effect.gen(function* () {
          yield* world.foreignAdd("pl0", { address: v4, prefixLength: 32, ...permanent, validSeconds: 600 })
          const [address] = interfaceOf(yield* world.network.state, "pl0").addresses
          assert.isAtLeast(address?.validSeconds ?? 0, 590)
          assert.isAtMost(address?.validSeconds ?? 0, 600)
        })
      )
      check("has no default-route interface without a default route", (world) =>
        Effect.gen(function* () {
          assert.deepStrictEqual((yield* world.network.state).defaultRouteInterfaces, [])
        })
      )
      check("orders the default-route interfaces of both families by metric, each once", (world) =>
        Effect.gen(function* () {
          yield* world.addDefaultRoute("up0", "IPv4", 300)
          yield* world.addDefaultRoute("up1", "IPv6", 200)
          yield* world.addDefaultRoute("up1", "IPv4", 400)
          assert.deepStrictEqual((yield* world.network.state).defaultRouteInterfaces, ["up1", "up0"])
        })
      )
      check("has no default route through an interface that is down", (world) =>
        Effect.gen(function* () {
          yield* world.addDefaultRoute("up0", "IPv4", 100)
          yield* world.addDefaultRoute("up1", "IPv4", 200)
          yield* world.setUp("up0", false)
          assert.deepStrictEqual((yield* world.network.state).defaultRouteInterfaces, ["up1"])
        })
      )
      const arpIgnoreCases = [
        ["is 0 at first", {}, { pl0: 0, up0: 0 }],
        ["is the interface's own", { up0: 1 }, { pl0: 0, up0: 1 }],
        ["is that of all where it is larger", { all: 2, up0: 1 }, { pl0: 2, up0: 2 }],
        ["is the interface's own where it is larger", { all: 1, up0: 2 }, { pl0: 1, up0: 2 }]
      ] as const
      for (const [sentence, settings, expected] of arpIgnoreCases) {
        check(`arp_ignore ${sentence}`, (world) =>
          Effect.gen(function* () {
            for (const [each, value] of Object.entries(settings)) yield* world.setArpIgnore(each, value)
            const { arpIgnore } = yield* world.network.state
            assert.deepStrictEqual({ pl0: arpIgnore["pl0"], up0: arpIgnore["up0"] }, expected)
          })
        )
      }
    })

    describe("addAddress", () => {
      check("puts an IPv4 address as v0.4 did, /32, scope link, label, for ever, with our mark", (world) =>
        Effect.gen(function* () {
          yield* world.network.addAddress(held(v4))
          assert.deepStrictEqual(yield* after(world, "pl0"), ["192.0.2.10/32 ours scope link label pl0:pllb"])
        })
      )
      check("puts an IPv6 address as /128, for ever", (world) =>
        Effect.gen(function* () {
          yield* world.network.addAddress(held(v6))
          assert.deepStrictEqual(yield* after(world, "pl0"), ["2001:db8::10/128 ours scope global"])
        })
      )
      const names = [
        ["plenus0123", "label plenus0123:pllb"],
        ["plenus01234", "label plenus01234"],
        ["plenus012345678", "label plenus012345678"]
      ] as const
      for (const [interfaceName, label] of names) {
        check(`an interface name of ${interfaceName.length} characters gives ${label}`, (world) =>
          Effect.gen(function* () {
            yield* world.createBridge(interfaceName)
            yield* world.network.addAddress(held(v4, interfaceName))
            assert.deepStrictEqual(yield* after(world, interfaceName), [`192.0.2.10/32 ours scope link ${label}`])
          })
        )
      }
      check("changes nothing when the address is there already", (world) =>
        Effect.gen(function* () {
          for (const address of [v4, v6]) yield* world.network.addAddress(held(address))
          const before = yield* world.network.state
          for (const address of [v4, v6]) yield* world.network.addAddress(held(address))
          assert.deepStrictEqual(yield* world.network.state, before)
        })
      )
      check("takes over the address that v0.4 left, and marks it as ours", (world) =>
        Effect.gen(function* () {
          yield* world.foreignAdd("pl0", { address: v4, prefixLength: 32, scope: "link", label: "pl0:pllb" })
          yield* world.network.addAddress(held(v4))
          assert.deepStrictEqual(yield* after(world, "pl0"), ["192.0.2.10/32 ours scope link label pl0:pllb"])
        })
      )
      const corrected = [
        ["IPv4 with a lifetime", v4, { scope: "link", label: "pl0:pllb", validSeconds: 600 }],
        ["IPv4 of another scope without label", v4, { scope: "global" }],
        ["IPv4 of our scope without label", v4, { scope: "link" }],
        ["IPv6 with a lifetime", v6, { scope: "global", validSeconds: 600 }]
      ] as const
      for (const [sentence, address, attributes] of corrected) {
        check(`makes ours of what somebody put there: ${sentence}`, (world) =>
          Effect.gen(function* () {
            const prefixLength = address === v4 ? 32 : 128
            yield* world.foreignAdd("pl0", { address, prefixLength, ...attributes })
            yield* world.network.addAddress(held(address))
            const ours =
              address === v4 ? "192.0.2.10/32 ours scope link label pl0:pllb" : "2001:db8::10/128 ours scope global"
            assert.deepStrictEqual(yield* after(world, "pl0"), [ours])
          })
        )
      }
      check("leaves the same address with another prefix length where it is", (world) =>
        Effect.gen(function* () {
          yield* world.foreignAdd("pl0", { address: v4, prefixLength: 24, ...permanent })
          yield* world.network.addAddress(held(v4))
          assert.deepStrictEqual(yield* after(world, "pl0"), [
            "192.0.2.10/24 scope global label pl0",
            "192.0.2.10/32 ours scope link label pl0:pllb"
          ])
        })
      )
      check("leaves the addresses of the node alone", (world) =>
        Effect.gen(function* () {
          yield* world.network.addAddress(held(v4, "up0"))
          assert.deepStrictEqual(yield* after(world, "up0"), [
            "192.0.2.10/32 ours scope link label up0:pllb",
            "198.51.100.2/24 scope global label up0",
            "2001:db8:ffff::2/64 scope global"
          ])
        })
      )
      check("puts an IPv4 address on an interface that is down", (world) =>
        Effect.gen(function* () {
          yield* world.setUp("pl0", false)
          yield* world.network.addAddress(held(v4))
          assert.deepStrictEqual(yield* after(world, "pl0"), ["192.0.2.10/32 ours scope link label pl0:pllb"])
        })
      )
      check("when the interface goes down, IPv4 stays and IPv6 is lost", (world) =>
        Effect.gen(function* () {
          for (const address of [v4, v6]) yield* world.network.addAddress(held(address))
          yield* world.setUp("pl0", false)
          yield* world.setUp("pl0", true)
          assert.deepStrictEqual(yield* after(world, "pl0"), ["192.0.2.10/32 ours scope link label pl0:pllb"])
        })
      )
      check("when the interface is renamed, our mark stays, and the first address loses its label", (world) =>
        Effect.gen(function* () {
          for (const address of [v4, a("192.0.2.11"), a("192.0.2.12")]) yield* world.network.addAddress(held(address))
          yield* world.renameInterface("pl0", "br7")
          assert.deepStrictEqual(yield* after(world, "br7"), [
            "192.0.2.10/32 ours scope link label br7",
            "192.0.2.11/32 ours scope link label br7:pllb",
            "192.0.2.12/32 ours scope link label br7:pllb"
          ])
        })
      )
      check("puts 100 addresses asked for at once", (world) =>
        Effect.gen(function* () {
          const addresses = many(100)
          yield* Effect.forEach(addresses, (address) => world.network.addAddress(held(address)), {
            concurrency: "unbounded",
            discard: true
          })
          const expected = addresses.map((address) => `${address}/32 ours scope link label pl0:pllb`).toSorted()
          assert.deepStrictEqual(yield* after(world, "pl0"), expected)
        })
      )
      check("says which interface is missing, and that it may come back", (world) =>
        Effect.gen(function* () {
          const error = yield* reasonOf(world.network.addAddress(held(v4, "pl7")))
          assert.deepStrictEqual(
            [error.method, error.reason._tag, error.category, error.message],
            ["addAddress", "InterfaceMissing", "transient", "addAddress: InterfaceMissing: there is no interface pl7"]
          )
        })
      )
    })

    describe("addAddress and removeAddress together", () => {
      check("each call has its own outcome, also when many are made at once", (world) =>
        Effect.gen(function* () {
          yield* world.network.addAddress(held(v4))
          const calls = [
            world.network.addAddress(held(v4)),
            world.network.addAddress(held(a("192.0.2.11"), "pl7")),
            world.network.addAddress(held(v6)),
            world.network.removeAddress(held(a("192.0.2.12"))),
            world.network.addAddress(held(a("192.0.2.13"), "pl8")),
            world.network.addAddress(held(a("192.0.2.14")))
          ]
          const outcomes = yield* Effect.forEach(calls, Effect.result, { concurrency: "unbounded" })
          assert.deepStrictEqual(
            outcomes.map((outcome) => (Result.isFailure(outcome) ? outcome.failure.message : "done")),
            [
              "done",
              "addAddress: InterfaceMissing: there is no interface pl7",
              "done",
              "done",
              "addAddress: InterfaceMissing: there is no interface pl8",
              "done"
            ]
          )
          assert.deepStrictEqual(yield* after(world, "pl0"), [
            "192.0.2.10/32 ours scope link label pl0:pllb",
            "192.0.2.14/32 ours scope link label pl0:pllb",
            "2001:db8::10/128 ours scope global"
          ])
        })
      )
      check("adding and removing at once happens in the order of the calls", (world) =>
        Effect.gen(function* () {
          const calls = [
            world.network.addAddress(held(v4)),
            world.network.removeAddress(held(v4)),
            world.network.removeAddress(held(v6)),
            world.network.addAddress(held(v6))
          ]
          yield* Effect.all(calls, { concurrency: "unbounded" })
          assert.deepStrictEqual(yield* after(world, "pl0"), ["2001:db8::10/128 ours scope global"])
        })
      )
      for (const interfaceName of ["pl0\naddress add 192.0.2.66/32 dev pl0\n", "pl0 scope global", ""]) {
        check(`${JSON.stringify(interfaceName)} is the name of no interface, and nothing else`, (world) =>
          Effect.gen(function* () {
            const error = yield* reasonOf(world.network.addAddress(held(v4, interfaceName)))
            assert.strictEqual(error.reason._tag, "InterfaceMissing")
            yield* world.network.removeAddress(held(v4, interfaceName))
            assert.deepStrictEqual(yield* after(world, "pl0"), [])
          })
        )
      }
    })

    describe("removeAddress", () => {
      for (const address of [v4, v6]) {
        check(`removes ${address} and leaves the others`, (world) =>
          Effect.gen(function* () {
            const others = [a("192.0.2.11"), a("2001:db8::11")]
            for (const each of [address, ...others]) yield* world.network.addAddress(held(each))
            yield* world.network.removeAddress(held(address))
            assert.deepStrictEqual(yield* after(world, "pl0"), [
              "192.0.2.11/32 ours scope link label pl0:pllb",
              "2001:db8::11/128 ours scope global"
            ])
          })
        )
        check(`has nothing to do when ${address} is absent, or its interface`, (world) =>
          Effect.gen(function* () {
            yield* world.network.removeAddress(held(address))
            yield* world.network.removeAddress(held(address, "pl7"))
            assert.deepStrictEqual(yield* after(world, "pl0"), [])
          })
        )
      }
      check("removes an address on the named interface only", (world) =>
        Effect.gen(function* () {
          for (const each of ["pl0", "up1"]) yield* world.network.addAddress(held(v4, each))
          yield* world.network.removeAddress(held(v4, "up1"))
          assert.deepStrictEqual(
            [yield* after(world, "pl0"), yield* after(world, "up1")],
            [["192.0.2.10/32 ours scope link label pl0:pllb"], []]
          )
        })
      )
      check("removes the host prefix and not another one", (world) =>
        Effect.gen(function* () {
          yield* world.foreignAdd("pl0", { address: v4, prefixLength: 24, ...permanent })
          yield* world.network.addAddress(held(v4))
          yield* world.network.removeAddress(held(v4))
          assert.deepStrictEqual(yield* after(world, "pl0"), ["192.0.2.10/24 scope global label pl0"])
        })
      )
      check("removes another prefix when it is named", (world) =>
        Effect.gen(function* () {
          yield* world.foreignAdd("pl0", { address: v4, prefixLength: 24, ...permanent })
          yield* world.network.addAddress(held(v4))
          yield* world.network.removeAddress(held(v4), 24)
          assert.deepStrictEqual(yield* after(world, "pl0"), ["192.0.2.10/32 ours scope link label pl0:pllb"])
        })
      )
    })

    describe("announce", () => {
      for (const address of [v4, v6]) {
        check(
          `tells the neighbours that ${address} is at the uplink's hardware address, wherever it is held`,
          (world) =>
            Effect.gen(function* () {
              const mac = yield* macOf(world, "up0")
              const listener = yield* world.listen("up0")
              yield* world.network.announce([address], "up0")
              assert.deepStrictEqual(yield* listener.take(1), [{ address, mac }])
            }).pipe(Effect.scoped)
        )
      }
      for (const count of [100, 1000]) {
        check(`announces ${count} addresses in one call, each once and in order`, (world) =>
          Effect.gen(function* () {
            const listener = yield* world.listen("up0")
            yield* world.network.announce(many(count), "up0")
            yield* world.network.announce([v4], "up0")
            const seen = yield* listener.take(count + 1)
            assert.deepStrictEqual(
              seen.map(({ address }) => address),
              [...many(count), v4]
            )
          }).pipe(Effect.scoped)
        )
      }
      check("announces both families in one call", (world) =>
        Effect.gen(function* () {
          const listener = yield* world.listen("up0")
          yield* world.network.announce([v6, v4, a("2001:db8::11")], "up0")
          const seen = (yield* listener.take(3)).map(({ address }) => address)
          assert.deepStrictEqual(seen.toSorted(), ["192.0.2.10", "2001:db8::10", "2001:db8::11"])
        }).pipe(Effect.scoped)
      )
      check("announces on the named uplink only, with its own hardware address", (world) =>
        Effect.gen(function* () {
          const [first, second] = [yield* world.listen("up0"), yield* world.listen("up1")]
          yield* world.network.announce([v4], "up0")
          yield* world.network.announce([a("192.0.2.11")], "up1")
          assert.deepStrictEqual(yield* second.take(1), [{ address: a("192.0.2.11"), mac: yield* macOf(world, "up1") }])
          assert.deepStrictEqual(yield* first.take(1), [{ address: v4, mac: yield* macOf(world, "up0") }])
        }).pipe(Effect.scoped)
      )
      check("does not mix the frames of callers at the same time", (world) =>
        Effect.gen(function* () {
          yield* world.network.announce([v4], "up0")
          const listener = yield* world.listen("up0")
          const groups = [...Array.from({ length: 10 }, (_, group) => many(1000).slice(100 * group)), [v6], [v4]].map(
            (group) => group.slice(0, 100)
          )
          yield* Effect.forEach(groups, (group) => world.network.announce(group, "up0"), {
            concurrency: "unbounded",
            discard: true
          })
          const seen = (yield* listener.take(1002)).map(({ address }) => address)
          assert.deepStrictEqual(seen.toSorted(), groups.flat().toSorted())
        }).pipe(Effect.scoped)
      )
      check("has nothing to do for no address, even without the uplink", (world) => world.network.announce([], "up7"))
      check("says that the uplink is missing", (world) =>
        Effect.gen(function* () {
          const error = yield* reasonOf(world.network.announce([v4], "up7"))
          assert.strictEqual(error.message, "announce: InterfaceMissing: there is no interface up7")
        })
      )
      check("says that the uplink is down", (world) =>
        Effect.gen(function* () {
          yield* world.network.announce([v4], "up0")
          yield* world.setUp("up0", false)
          const error = yield* reasonOf(world.network.announce([v4], "up0"))
          assert.strictEqual(error.message, "announce: ToolFailed: up0 is down")
        })
      )
      check("announces again after the uplink was down, without losing one", (world) =>
        Effect.gen(function* () {
          yield* world.network.announce([v4], "up0")
          yield* world.setUp("up0", false)
          yield* world.setUp("up0", true)
          const listener = yield* world.listen("up0")
          yield* world.network.announce([a("192.0.2.11")], "up0")
          assert.deepStrictEqual(
            (yield* listener.take(1)).map(({ address }) => address),
            ["192.0.2.11"]
          )
        }).pipe(Effect.scoped)
      )
      check("announces on an uplink that was deleted and made anew", (world) =>
        Effect.gen(function* () {
          yield* world.network.announce([v4], "up1")
          yield* world.deleteInterface("up1")
          yield* world.createUplink("up1")
          const listener = yield* world.listen("up1")
          yield* world.network.announce([v4], "up1")
          assert.deepStrictEqual(yield* listener.take(1), [{ address: v4, mac: yield* macOf(world, "up1") }])
        }).pipe(Effect.scoped)
      )
    })

    describe("changes", () => {
      /** Reads wakings from when it listens; the returned effect waits for the state to become so, looking only when woken. */
      const watch = Effect.fnUntraced(function* (world: World) {
        const wakings = yield* Queue.unbounded<void>()
        yield* Effect.forkScoped(Stream.runForEach(world.network.changes, () => Queue.offer(wakings, undefined)))
        yield* Queue.take(wakings)
        return Effect.fnUntraced(function* (isSo: (state: NetworkState) => boolean) {
          do yield* Queue.take(wakings)
          while (!isSo(yield* world.network.state))
        })
      })
      type Change = readonly [
        sentence: string,
        change: (world: World) => Effect.Effect<void, NodeNetworkError>,
        isSo: (state: NetworkState) => boolean
      ]
      const changes: ReadonlyArray<Change> = [
        [
          "when somebody deletes an IPv4 address of ours",
          (world) => world.foreignDelete("pl0", v4, 32),
          (state) => !addressesOf(state, "pl0").some((each) => each.startsWith(v4))
        ],
        [
          "when somebody deletes an IPv6 address of ours",
          (world) => world.foreignDelete("pl0", v6, 128),
          (state) => !addressesOf(state, "pl0").some((each) => each.startsWith(v6))
        ],
        [
          "when an address is added",
          (world) => world.network.addAddress(held(a("192.0.2.11"))),
          (state) => addressesOf(state, "pl0").length === 3
        ],
        [
          "when an address is removed by us",
          (world) => world.network.removeAddress(held(v4)),
          (state) => addressesOf(state, "pl0").length === 1
        ],
        ["when an interface goes down", (world) => world.setUp("up0", false), (state) => !interfaceOf(state, "up0").up],
        [
          "when an interface is made",
          (world) => world.createBridge("br9"),
          (state) => state.interfaces.some((each) => each.name === "br9")
        ],
        [
          "when an interface goes",
          (world) => world.deleteInterface("pl0"),
          (state) => !state.interfaces.some((each) => each.name === "pl0")
        ]
      ]
      for (const [sentence, change, isSo] of changes) {
        check(`wakes ${sentence}`, (world) =>
          Effect.gen(function* () {
            for (const address of [v4, v6]) yield* world.network.addAddress(held(address))
            const until = yield* watch(world)
            yield* change(world)
            yield* until(isSo)
          }).pipe(Effect.scoped)
        )
      }
      check("wakes every reader", (world) =>
        Effect.gen(function* () {
          const readers = [yield* watch(world), yield* watch(world)]
          yield* world.network.addAddress(held(v4))
          for (const until of readers) yield* until((state) => addressesOf(state, "pl0").length === 1)
        }).pipe(Effect.scoped)
      )
    })

    describe("failures and identity", () => {
      const refused: ReadonlyArray<
        readonly [string, (network: NodeNetwork["Service"]) => Effect.Effect<void, NodeNetworkError>]
      > = [
        ["addAddress", (network) => network.addAddress(held(a("192.0.2.11")))],
        ["removeAddress", (network) => network.removeAddress(held(v4))],
        ["announce", (network) => network.announce([v4], "up0")],
        ["canSend", (network) => network.canSend]
      ]
      for (const [method, call] of refused) {
        check(`${method} without the capability is not permitted, which only a person can change`, (world) =>
          Effect.gen(function* () {
            yield* world.network.addAddress(held(v4))
            const error = yield* reasonOf(call(yield* world.unprivileged))
            assert.deepStrictEqual(
              [error.method, error.reason._tag, error.category],
              [method, "NotPermitted", "permanent"]
            )
            assert.match(error.message, /Operation not permitted/)
          })
        )
      }
      check("can send with the capability, whichever uplinks are up, and sends nothing", (world) =>
        Effect.gen(function* () {
          const listener = yield* world.listen("up0")
          yield* world.network.canSend
          yield* world.network.announce([v4], "up0")
          assert.lengthOf(yield* listener.take(1), 1)
          for (const name of ["lo", "up0", "up1"]) yield* world.setUp(name, false)
          yield* world.network.canSend
        }).pipe(Effect.scoped)
      )
      check("reads the state without any capability", (world) =>
        Effect.gen(function* () {
          const before = yield* world.network.state
          assert.deepStrictEqual(yield* (yield* world.unprivileged).state, before)
        })
      )
      check("a missing interface is told before a missing capability", (world) =>
        Effect.gen(function* () {
          const error = yield* reasonOf((yield* world.unprivileged).addAddress(held(v4, "pl7")))
          assert.strictEqual(error.reason._tag, "InterfaceMissing")
        })
      )
      const needTools: ReadonlyArray<
        readonly [string, (network: NodeNetwork["Service"]) => Effect.Effect<unknown, NodeNetworkError>]
      > = [
        ["state", (network) => network.state],
        ["changes", (network) => Stream.runDrain(network.changes)],
        ...refused
      ]
      for (const [method, call] of needTools) {
        check(`${method} without its tools is a failure of the tool, to be tried again`, (world) =>
          Effect.gen(function* () {
            const error = yield* reasonOf(call(yield* world.toolless))
            assert.deepStrictEqual(
              [error.method, error.reason._tag, error.category],
              [method, "ToolFailed", "transient"]
            )
          })
        )
      }
      check("identifies the boot, the same twice", (world) =>
        Effect.gen(function* () {
          const first = yield* world.network.identity
          assert.match(first.bootId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
          assert.match(first.systemUuid, /^([0-9a-f-]{36})?$/)
          assert.deepStrictEqual(yield* world.network.identity, first)
        })
      )
    })
  })
}
