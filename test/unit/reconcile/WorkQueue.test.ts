import { assert, describe, it } from "@effect/vitest"
import { Effect, Scheduler } from "effect"
import type { Category } from "../../../src/ports/Category.ts"
import { monotonicMillis } from "../../../src/reconcile/Monotonic.ts"
import { backoffByCategory } from "../../../src/reconcile/RetryPolicy.ts"
import * as WorkQueue from "../../../src/reconcile/WorkQueue.ts"
import { virtually } from "../virtually.ts"

interface Step {
  readonly key: string
  readonly atMillis: number
}

/** A queue whose steps take a time and end as `outcome` says; what ran when. */
const makeQueue = Effect.fnUntraced(function* (
  outcome: (key: string, run: number) => Effect.Effect<WorkQueue.Outcome, WorkQueue.StepFailure>,
  { concurrency = 4, takesMillis = 0 } = {}
) {
  const steps: Array<Step> = []
  const startedAt = yield* monotonicMillis
  const inWork = new Map<string, number>()
  const queue = yield* WorkQueue.make({
    name: "test",
    concurrency,
    step: (key) =>
      Effect.gen(function* () {
        inWork.set(key, (inWork.get(key) ?? 0) + 1)
        assert.strictEqual(inWork.get(key), 1, `${key} is worked on twice at once`)
        steps.push({ key, atMillis: (yield* monotonicMillis) - startedAt })
        yield* Effect.sleep(takesMillis)
        inWork.set(key, 0)
        return yield* outcome(key, steps.filter((step) => step.key === key).length)
      })
  })
  return { queue, steps }
})

const settled = () => Effect.succeed<WorkQueue.Outcome>("settled")
const failure = (category: Category, retryAfterMillis = 0): WorkQueue.StepFailure => ({
  category,
  message: "no",
  retryAfterMillis
})
const timesOf = (steps: ReadonlyArray<Step>, key: string) =>
  steps.filter((step) => step.key === key).map(({ atMillis }) => atMillis)

/** Others run after every third operation of a fiber; with fewer nobody would get anywhere. */
const preempted = Effect.provideService(Scheduler.MaxOpsBeforeYield, 3)

describe("WorkQueue", () => {
  it.each(Array.from({ length: 30 }, (_, turns) => turns))("forgets nothing that is added %i turns later", (turns) => {
    virtually(
      Effect.gen(function* () {
        let runs = 0
        const step = () => Effect.sync((): WorkQueue.Outcome => (++runs, "settled"))
        const queue = yield* WorkQueue.make({ name: "test", concurrency: 1, step })
        queue.add("a")
        for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
        const before = runs
        queue.add("a")
        yield* Effect.sleep(10)
        assert.isAbove(runs, before)
      }).pipe(preempted)
    )
  })

  it("works once on a key that is added many times before its turn", () => {
    virtually(
      Effect.gen(function* () {
        const { queue, steps } = yield* makeQueue(settled)
        for (let n = 0; n < 10; n++) queue.add("a")
        yield* Effect.sleep(10)
        assert.lengthOf(steps, 1)
        assert.strictEqual(queue.size(), 0)
      })
    )
  })

  it("never works on one key twice at once, and once more after it was added while in work", () => {
    virtually(
      Effect.gen(function* () {
        const { queue, steps } = yield* makeQueue(settled, { takesMillis: 100 })
        queue.add("a")
        yield* Effect.sleep(50)
        for (let n = 0; n < 10; n++) queue.add("a")
        yield* Effect.sleep(1_000)
        assert.deepStrictEqual(timesOf(steps, "a"), [0, 100])
      })
    )
  })

  it("works on different keys side by side, as many as it may", () => {
    virtually(
      Effect.gen(function* () {
        const { queue, steps } = yield* makeQueue(settled, { concurrency: 2, takesMillis: 100 })
        for (const key of ["a", "b", "c", "d"]) queue.add(key)
        yield* Effect.sleep(1_000)
        assert.deepStrictEqual(steps, [
          { key: "a", atMillis: 0 },
          { key: "b", atMillis: 0 },
          { key: "c", atMillis: 100 },
          { key: "d", atMillis: 100 }
        ])
      })
    )
  })

  it("is not delayed by keys that fail for ever, even with one worker (L6)", () => {
    virtually(
      Effect.gen(function* () {
        const { queue, steps } = yield* makeQueue(
          (key) => (key.startsWith("bad") ? Effect.fail(failure("permanent")) : settled()),
          { concurrency: 1 }
        )
        for (let n = 0; n < 50; n++) queue.add(`bad-${n}`)
        yield* Effect.sleep(10)
        queue.add("good")
        yield* Effect.sleep(1)
        assert.lengthOf(timesOf(steps, "good"), 1)
      })
    )
  })

  it("survives a defect of a step, and tries that key again later", () => {
    virtually(
      Effect.gen(function* () {
        const { queue, steps } = yield* makeQueue((_, run) => (run === 1 ? Effect.die(new Error("bug")) : settled()), {
          concurrency: 1
        })
        queue.add("a")
        queue.add("b")
        yield* Effect.sleep(5_000)
        assert.lengthOf(timesOf(steps, "a"), 2)
        assert.lengthOf(timesOf(steps, "b"), 2)
      })
    )
  })

  it.each(Object.entries(backoffByCategory))(
    "waits after %s failures for longer and longer, up to the cap",
    (_, backoff) => {
      const category = (Object.keys(backoffByCategory) as ReadonlyArray<Category>).find(
        (each) => backoffByCategory[each] === backoff
      )
      virtually(
        Effect.gen(function* () {
          const { queue, steps } = yield* makeQueue(() => Effect.fail(failure(category ?? "permanent")))
          queue.add("a")
          yield* Effect.sleep(backoff.capMillis * 6)
          const times = timesOf(steps, "a")
          const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0))
          assert.isAtLeast(pauses[0] ?? 0, backoff.firstMillis / 2)
          assert.isAtMost(pauses[0] ?? 0, backoff.firstMillis)
          assert.isAtMost(Math.max(...pauses), backoff.capMillis)
          assert.isAtLeast(pauses.at(-1) ?? 0, backoff.capMillis / 2)
        })
      )
    }
  )

  it("forgets earlier failures once a step succeeds", () => {
    virtually(
      Effect.gen(function* () {
        const { queue, steps } = yield* makeQueue((_, run) =>
          run === 5 ? settled() : Effect.fail(failure("permanent"))
        )
        queue.add("a")
        yield* Effect.sleep("1 minute")
        assert.lengthOf(timesOf(steps, "a"), 5)
        queue.add("a")
        yield* Effect.sleep("1 second")
        assert.lengthOf(timesOf(steps, "a"), 7)
      })
    )
  })

  it("waits no longer for what failed early, after an addition", () => {
    virtually(
      Effect.gen(function* () {
        const { queue, steps } = yield* makeQueue(() => Effect.fail(failure("permanent")))
        queue.add("a")
        for (let n = 0; n < 10; n++) {
          queue.add("a")
          yield* Effect.sleep(100)
        }
        const early = timesOf(steps, "a").length
        yield* Effect.sleep(backoffByCategory.permanent.firstMillis)
        assert.isAbove(timesOf(steps, "a").length, early)
      })
    )
  })

  it("counts failures by category: a refusal after a long outage waits no longer than the first refusal", () => {
    virtually(
      Effect.gen(function* () {
        const { queue, steps } = yield* makeQueue((_, run) =>
          Effect.fail(failure(run < 20 ? "transient" : "permanent"))
        )
        queue.add("a")
        yield* Effect.sleep("10 minutes")
        const times = timesOf(steps, "a")
        assert.isAtMost((times[20] ?? Infinity) - (times[19] ?? 0), backoffByCategory.permanent.firstMillis)
      })
    )
  })

  it("cuts the wait of a failed key short when it is added again, but never the server's own pause", () => {
    virtually(
      Effect.gen(function* () {
        const { queue, steps } = yield* makeQueue((key) =>
          Effect.fail(key === "throttled" ? failure("throttled", 20_000) : failure("permanent"))
        )
        queue.add("failed")
        queue.add("throttled")
        yield* Effect.sleep(100)
        queue.add("failed")
        queue.add("throttled")
        yield* Effect.sleep(100)
        assert.deepStrictEqual(timesOf(steps, "failed"), [0, 100])
        assert.deepStrictEqual(timesOf(steps, "throttled"), [0])
        yield* Effect.sleep(20_000)
        assert.isAtLeast(timesOf(steps, "throttled")[1] ?? 0, 20_000)
      })
    )
  })

  it("loses no addition, whenever it comes", () => {
    virtually(
      Effect.gen(function* () {
        for (let offset = 0; offset < 30; offset += 3) {
          let newest = 0
          let seen = 0
          const queue = yield* WorkQueue.make({
            name: "test",
            concurrency: 1,
            step: () =>
              Effect.sync(() => newest).pipe(
                Effect.tap(Effect.sleep(10)),
                Effect.flatMap((value) => (value === 2 ? Effect.fail(failure("transient")) : Effect.succeed(value))),
                Effect.map((value): WorkQueue.Outcome => {
                  seen = value
                  return "settled"
                })
              )
          })
          for (let n = 1; n <= 3; n++) {
            newest = n
            queue.add("a")
            yield* Effect.sleep(offset)
          }
          yield* Effect.sleep(5_000)
          assert.strictEqual(seen, 3)
        }
      })
    )
  })

  it("repeats at once what asks for it, and later what asks for that", () => {
    virtually(
      Effect.gen(function* () {
        const { queue, steps } = yield* makeQueue((_, run) =>
          Effect.succeed<WorkQueue.Outcome>(run === 1 ? "again" : run === 2 ? { afterMillis: 700 } : "settled")
        )
        queue.add("a")
        yield* Effect.sleep(5_000)
        assert.deepStrictEqual(timesOf(steps, "a"), [0, 0, 700])
      })
    )
  })
})
