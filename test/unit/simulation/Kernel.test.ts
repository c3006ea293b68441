/** What the simulator's kernel promises: an order that the seed draws, processes that stop between any two steps, clocks. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber } from "effect"
import { GoingInCircles, Kernel } from "../../../src/simulation/kernel/Kernel.ts"
import type { Process } from "../../../src/simulation/kernel/Process.ts"

const run = <A, E>(kernel: Kernel, program: Effect.Effect<A, E>): A => {
  const exit = kernel.run(program)
  if (Exit.isSuccess(exit)) return exit.value
  throw new Error(String(exit.cause))
}

const forkOn = <A, E>(process: Process, program: Effect.Effect<A, E>): Fiber.Fiber<A, E> =>
  Effect.runForkWith(process.context)(program)

/** Seeds of the given kind: whether tasks are shuffled is drawn. */
const seedsWhere = (is: (kernel: Kernel) => boolean): ReadonlyArray<number> =>
  Array.from({ length: 40 }, (_, index) => index + 1).filter((seed) => is(new Kernel({ seed, preemption: 0 })))

const shuffled = seedsWhere(({ isShuffled }) => isShuffled)
const ordered = seedsWhere(({ isShuffled }) => !isShuffled)

/** Reads, computes, writes back: correct only when nothing comes between. */
const lostUpdates = (kernel: Kernel): number => {
  let total = 0
  const add = Effect.gen(function* () {
    for (let times = 0; times < 50; times++) {
      const read = yield* Effect.sync(() => total)
      yield* Effect.sync(() => {
        total = read + 1
      })
    }
  })
  run(kernel, Effect.all([add, add, add], { concurrency: "unbounded" }))
  return 150 - total
}

/** The order in which fibers, or timers of one instant, get their turn. */
const orderOf = (kernel: Kernel, each: Effect.Effect<unknown>): string => {
  const order: Array<number> = []
  const turns = Array.from({ length: 8 }, (_, index) =>
    Effect.andThen(
      each,
      Effect.sync(() => order.push(index))
    )
  )
  run(kernel, Effect.all(turns, { concurrency: "unbounded" }))
  return order.join("")
}

/** Counts each virtual second on its own clock. */
const ticking = (kernel: Kernel, name = "ticker") => {
  const process = kernel.process(name)
  let ticks = 0
  forkOn(
    process,
    Effect.forever(
      Effect.andThen(
        Effect.sleep("1 second"),
        Effect.sync(() => ticks++)
      )
    )
  )
  return { process, ticks: () => ticks }
}

describe("the order of steps", () => {
  it("loses an update of a fiber that is preempted, and none without preemption", () => {
    assert.strictEqual(lostUpdates(new Kernel({ seed: 1, preemption: 0 })), 0)
    assert.isAbove(lostUpdates(new Kernel({ seed: 1, preemption: 0.2 })), 0)
  })

  it("permutes what can run, where the seed says so, and keeps the order where it does not", () => {
    const first = orderOf(new Kernel({ seed: ordered[0] ?? 0, preemption: 0 }), Effect.yieldNow)
    assert.strictEqual(first, "01234567")
    const orders = new Set(shuffled.map((seed) => orderOf(new Kernel({ seed, preemption: 0 }), Effect.yieldNow)))
    assert.isAbove(orders.size, 5)
  })

  it("permutes timers of one instant, where the seed says so", () => {
    const sleep = Effect.sleep(10)
    assert.strictEqual(orderOf(new Kernel({ seed: ordered[0] ?? 0, preemption: 0 }), sleep), "01234567")
    const orders = new Set(shuffled.map((seed) => orderOf(new Kernel({ seed, preemption: 0 }), sleep)))
    assert.isAbove(orders.size, 5)
  })

  it("is the same for the same seed", () => {
    for (const seed of shuffled.slice(0, 5)) {
      const order = () => orderOf(new Kernel({ seed, preemption: 0.2 }), Effect.sleep(3))
      assert.strictEqual(order(), order())
    }
  })
})

describe("a process", () => {
  it("does not run while it is stopped, not even what a timer resumes, and goes on afterwards", () => {
    const kernel = new Kernel({ seed: 1, preemption: 0 })
    const { process, ticks } = ticking(kernel)
    const program = Effect.gen(function* () {
      yield* Effect.sleep(2_500)
      process.pause()
      yield* Effect.sleep(10_000)
      assert.strictEqual(ticks(), 2)
      process.resume()
      yield* Effect.sleep(2_200)
    })
    run(kernel, program)
    // The sleep that ended meanwhile counts at once, and then every second again.
    assert.strictEqual(ticks(), 5)
  })

  it("that is stopped between two steps does not take the next one", () => {
    const kernel = new Kernel({ seed: 1, preemption: 0 })
    const process = kernel.process("stopped")
    let steps = 0
    forkOn(
      process,
      Effect.andThen(
        Effect.yieldNow,
        Effect.sync(() => steps++)
      )
    )
    process.pause()
    run(kernel, Effect.sleep(10))
    assert.strictEqual(steps, 0)
    process.resume()
    run(kernel, Effect.sleep(10))
    assert.strictEqual(steps, 1)
  })

  it("runs again when the last one that stopped it has let it go", () => {
    const kernel = new Kernel({ seed: 1, preemption: 0 })
    const { process, ticks } = ticking(kernel)
    process.pause()
    process.freeze()
    process.resume()
    run(kernel, Effect.sleep(5_000))
    assert.strictEqual(ticks(), 0)
    process.unfreeze()
    run(kernel, Effect.sleep(5_500))
    assert.strictEqual(ticks(), 5)
  })

  it("that is killed runs not one more step, and writes no last words", () => {
    const kernel = new Kernel({ seed: 1, preemption: 0 })
    const process = kernel.process("victim")
    let words = ""
    forkOn(
      process,
      Effect.never.pipe(
        Effect.ensuring(
          Effect.sync(() => {
            words = "farewell"
          })
        )
      )
    )
    const { process: other, ticks } = ticking(kernel)
    run(kernel, Effect.sleep(1_500))
    process.kill()
    other.kill()
    run(kernel, Effect.sleep(5_000))
    assert.strictEqual(words, "")
    assert.strictEqual(ticks(), 1)
    assert.isFalse(process.isAlive)
  })
})

describe("the clocks of a process", () => {
  it("stand still while its machine is frozen, and what was left of a sleep is left afterwards", () => {
    const kernel = new Kernel({ seed: 1, preemption: 0 })
    const { process, ticks } = ticking(kernel)
    const program = Effect.gen(function* () {
      yield* Effect.sleep(1_400)
      const before = process.monotonicMillis()
      process.freeze()
      yield* Effect.sleep(60_000)
      assert.strictEqual(process.monotonicMillis(), before)
      process.unfreeze()
      yield* Effect.sleep(500)
      assert.strictEqual(ticks(), 1)
      yield* Effect.sleep(200)
    })
    run(kernel, program)
    assert.strictEqual(ticks(), 2)
  })

  it("run on while it is merely stopped", () => {
    const kernel = new Kernel({ seed: 1, preemption: 0 })
    const { process } = ticking(kernel)
    const before = process.monotonicMillis()
    process.pause()
    run(kernel, Effect.sleep(4_000))
    assert.strictEqual(process.monotonicMillis() - before, 4_000)
  })

  it("run as fast as they are set to: sleeps too, and no machine sees another's", () => {
    const kernel = new Kernel({ seed: 1, preemption: 0 })
    const fast = ticking(kernel, "fast")
    const right = ticking(kernel, "right")
    fast.process.setRate(1.5)
    run(kernel, Effect.sleep(100_500))
    assert.strictEqual(right.ticks(), 100)
    // The first sleep was armed before the rate was set, and both are rounded to whole milliseconds.
    assert.isAtLeast(fast.ticks(), 149)
    assert.isAtMost(fast.ticks(), 151)
  })

  it("show a wall time that is off by what it was set to, and no other monotonic time", () => {
    const kernel = new Kernel({ seed: 1, preemption: 0 })
    const process = kernel.process("skewed")
    const read = Effect.all([Clock.currentTimeMillis, Clock.monotonicTimeNanos])
    const readOn = () => run(kernel, Fiber.join(forkOn(process, read)))
    const [wall, monotonic] = readOn()
    process.wallOffsetMillis = -86_400_000
    assert.deepStrictEqual(readOn(), [wall - 86_400_000, monotonic])
  })
})

describe("a run that does not end", () => {
  it("is ended after so many steps of one instant, and the message names process and fiber", () => {
    const kernel = new Kernel({ seed: 1, preemption: 0, stepsMax: 5_000 })
    forkOn(kernel.process("spinner"), Effect.forever(Effect.yieldNow))
    const caught = (): unknown => {
      try {
        return kernel.run(Effect.sleep(1))
      } catch (error) {
        return error
      }
    }
    const error = caught()
    assert.instanceOf(error, GoingInCircles)
    assert.match(String(error), /5000 steps without time passing.*spinner \(fiber #\d+\)/)
  })

  it("is ended when nothing can run and no timer is set", () => {
    const exit = new Kernel({ seed: 1, preemption: 0 }).run(Effect.never)
    assert.isTrue(Exit.isFailure(exit))
    assert.include(String(exit), "nothing can run")
  })
})
