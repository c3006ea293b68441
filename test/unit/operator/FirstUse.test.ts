import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as MemoryNodeNetwork from "../../../src/memory/network/MemoryNodeNetwork.ts"
import * as FirstUse from "../../../src/operator/FirstUse.ts"
import { NodeNetwork } from "../../../src/ports/NodeNetwork.ts"
import { address } from "../domain/arbitraries.ts"
import { virtually } from "../virtually.ts"

const free = address("192.0.2.10")
const taken = address("192.0.2.11")
const [foreign, own] = ["02:00:00:00:00:99", "02:00:00:00:00:01"]

const candidate = (each: typeof free, uplinks: ReadonlyArray<string> = ["eth0"], grant = "shop/web 1.a 1") => ({
  address: each,
  uplinks,
  grant
})

/** Behind eth0 somebody has `taken`. */
const start = (mac = foreign) =>
  Effect.gen(function* () {
    const node = MemoryNodeNetwork.make({
      interfaces: [{ name: "eth0" }, { name: "eth1" }],
      onProbe: (asked, uplink) => (asked === taken && uplink === "eth0" ? [mac] : [])
    })
    let wakings = 0
    const firstUse = yield* FirstUse.make({ isOwnMac: (each) => each === own, wake: () => void wakings++ }).pipe(
      Effect.provideService(NodeNetwork, node.network)
    )
    const isUp = (name: string) => node.state().interfaces.some((each) => each.name === name && each.up)
    /** In a round. */
    const withheld = (...candidates: ReadonlyArray<FirstUse.Candidate>) =>
      Effect.map(firstUse.withhold(candidates, isUp), (found) => [...found].join(" "))
    return { node, firstUse, withheld, wakings: () => wakings, probes: () => node.calls().get("probe") ?? 0 }
  })

describe("the first use of an address", () => {
  it("waits until nobody has answered for a fifth of a second, and is woken then", () => {
    virtually(
      Effect.gen(function* () {
        const { wakings, withheld } = yield* start()
        assert.strictEqual(yield* withheld(candidate(free)), free)
        yield* Effect.sleep(199)
        assert.deepStrictEqual([yield* withheld(candidate(free)), wakings()], [free, 0])
        yield* Effect.sleep(2)
        assert.deepStrictEqual([yield* withheld(candidate(free)), wakings()], ["", 1])
      })
    )
  })

  it("is asked for once by all rounds, and anew for another grant", () => {
    virtually(
      Effect.gen(function* () {
        const { probes, withheld } = yield* start()
        for (let round = 0; round < 10; round++) {
          yield* withheld(candidate(free))
          yield* Effect.sleep(100)
        }
        assert.strictEqual(probes(), 1)
        assert.strictEqual(yield* withheld(candidate(free, ["eth0"], "shop/api 1.a 1")), free)
        yield* Effect.sleep(1)
        assert.strictEqual(probes(), 2)
      })
    )
  })

  it("is asked for on every uplink, all in one question each", () => {
    virtually(
      Effect.gen(function* () {
        const { firstUse, probes, withheld } = yield* start()
        const both = [candidate(free, ["eth0", "eth1"]), candidate(taken, ["eth1", "eth0"])]
        yield* withheld(...both)
        yield* Effect.sleep(201)
        assert.strictEqual(probes(), 2)
        assert.strictEqual(yield* withheld(...both), taken)
        assert.deepStrictEqual([firstUse.foreignMacOf(free), firstUse.foreignMacOf(taken)], [undefined, foreign])
      })
    )
  })

  it("is not held up by a machine of the cluster", () => {
    virtually(
      Effect.gen(function* () {
        const { withheld } = yield* start(own)
        yield* withheld(candidate(taken))
        yield* Effect.sleep(201)
        assert.strictEqual(yield* withheld(candidate(taken)), "")
      })
    )
  })

  it("waits while it cannot be asked for, and asks again after a second", () => {
    virtually(
      Effect.gen(function* () {
        const { node, probes, withheld } = yield* start()
        node.setToolFailure("No space left on device")
        yield* withheld(candidate(free))
        yield* Effect.sleep(900)
        assert.deepStrictEqual([yield* withheld(candidate(free)), probes()], [free, 1])
        node.setToolFailure(undefined)
        yield* Effect.sleep(101)
        yield* withheld(candidate(free))
        yield* Effect.sleep(201)
        assert.deepStrictEqual([yield* withheld(candidate(free)), probes()], ["", 2])
      })
    )
  })

  it("waits while every cable is out, and asks as soon as one is in", () => {
    virtually(
      Effect.gen(function* () {
        const { node, probes, withheld } = yield* start()
        node.setUp("eth0", false)
        assert.deepStrictEqual([yield* withheld(candidate(free)), probes()], [free, 0])
        node.setUp("eth0", true)
        yield* withheld(candidate(free))
        yield* Effect.sleep(201)
        assert.deepStrictEqual([yield* withheld(candidate(free)), probes()], ["", 1])
      })
    )
  })

  it("asks nobody where there are no neighbours", () => {
    virtually(
      Effect.gen(function* () {
        const { probes, withheld } = yield* start()
        assert.deepStrictEqual([yield* withheld(candidate(free, [])), probes()], ["", 0])
      })
    )
  })

  it("forgets what was answered for a grant that is gone", () => {
    virtually(
      Effect.gen(function* () {
        const { firstUse, withheld } = yield* start()
        yield* withheld(candidate(taken))
        yield* Effect.sleep(201)
        assert.strictEqual(firstUse.foreignMacOf(taken), foreign)
        yield* withheld()
        assert.isUndefined(firstUse.foreignMacOf(taken))
      })
    )
  })
})
