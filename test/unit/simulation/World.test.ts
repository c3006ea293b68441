import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { withGuard } from "../../../src/simulation/kernel/Guard.ts"
import { Kernel } from "../../../src/simulation/kernel/Kernel.ts"
import { Story } from "../../../src/simulation/world/Story.ts"
import * as World from "../../../src/simulation/world/World.ts"

const options = { nodesCount: 1, controllersCount: 1, hearsLogs: false }

describe("World", () => {
  it("takes a node for hindered while no operator runs there, however many went with its machine", () => {
    const kernel = new Kernel({ seed: 1 })
    const program = Effect.gen(function* () {
      const world = yield* World.make(kernel, new Story(kernel, { isTold: false }), options, () => {})
      const [host] = world.hosts
      const [first] = world.operators
      if (host === undefined || first === undefined) return yield* Effect.die("no node")
      const second = world.secondOperator(host)
      const isImpaired = () => world.truth.nodes.get(host.name)?.impairedSince !== undefined
      second.start()
      world.powerOff(host)
      world.powerOn(host)
      first.start()
      const withOne = isImpaired()
      first.kill()
      second.clear()
      const withNone = isImpaired()
      first.start()
      return { withOne, withNone, after: isImpaired() }
    })
    const exit = withGuard(() => kernel.run(program))
    assert.deepStrictEqual(exit, Exit.succeed({ withOne: false, withNone: true, after: false }))
  })

  it("boots no machine that is on, whose processes would go on with the kernel of the boot before", () => {
    const kernel = new Kernel({ seed: 1 })
    const program = Effect.gen(function* () {
      const world = yield* World.make(kernel, new Story(kernel, { isTold: false }), options, () => {})
      const [host] = world.hosts
      if (host === undefined) return yield* Effect.die("no node")
      const [bootId, { network }] = [host.bootId, host]
      world.powerOn(host)
      const isAsBefore = host.bootId === bootId && host.network === network
      world.powerOff(host)
      world.powerOn(host)
      return { isAsBefore, isAnother: host.bootId !== bootId && host.network !== network }
    })
    const exit = withGuard(() => kernel.run(program))
    assert.deepStrictEqual(exit, Exit.succeed({ isAsBefore: true, isAnother: true }))
  })

  it("knows the namespaces that nobody has to create", () => {
    const kernel = new Kernel({ seed: 1 })
    const made = World.make(kernel, new Story(kernel, { isTold: false }), options, () => {})
    const exit = withGuard(() => kernel.run(Effect.map(made, ({ truth }) => truth.namespaces.has("default"))))
    assert.deepStrictEqual(exit, Exit.succeed(true))
  })

  it("has room for a thousand nodes, each with an address of its own that is none of ours", () => {
    const kernel = new Kernel({ seed: 1 })
    const program = Effect.gen(function* () {
      const world = yield* World.make(
        kernel,
        new Story(kernel, { isTold: false }),
        { ...options, nodesCount: 1_000 },
        () => {}
      )
      return world.hosts.flatMap(({ network }) =>
        network.state().interfaces.flatMap(({ addresses, name }) => (name === "pl0" ? [] : addresses))
      )
    })
    const exit = withGuard(() => kernel.run(program))
    if (Exit.isFailure(exit)) return assert.fail(String(exit.cause))
    const addresses = exit.value.map(({ address }) => address)
    assert.strictEqual(new Set(addresses).size, addresses.length)
    assert.deepStrictEqual(
      addresses.filter((each) => /^203\.0\.113\.2\d\d$/.test(each)),
      []
    )
  })
})
