/**
 * Runs an Effect to its end in one synchronous call: one run queue, and a clock that jumps to the next timer when
 * nothing can run. What waits for ever ends at once, with a timeout or as stuck. It proves by the way that the API
 * server in memory needs neither Promises nor real timers.
 */
import { Clock, Context, Duration, Effect, Exit, Scheduler } from "effect"

interface Timer {
  readonly atMillis: number
  readonly order: number
  readonly run: () => void
}

/** A program that takes more is going in circles. */
const stepsMax = 2_000_000

export const runVirtually = <A, E>(program: Effect.Effect<A, E>): Exit.Exit<A, E> => {
  const tasks: Array<() => void> = []
  const timers: Array<Timer> = []
  let nowMillis = 1_800_000_000_000
  let order = 0

  const dispatcher: Scheduler.SchedulerDispatcher = {
    scheduleTask: (task) => tasks.push(task),
    flush: () => {}
  }
  const scheduler: Scheduler.Scheduler = {
    executionMode: "sync",
    makeDispatcher: () => dispatcher,
    shouldYield: (fiber) => fiber.currentOpCount >= fiber.cache.maxOpsBeforeYield
  }
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => nowMillis,
    currentTimeMillis: Effect.sync(() => nowMillis),
    currentTimeNanosUnsafe: () => BigInt(nowMillis) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(nowMillis) * 1_000_000n),
    monotonicTimeNanosUnsafe: () => BigInt(nowMillis) * 1_000_000n,
    monotonicTimeNanos: Effect.sync(() => BigInt(nowMillis) * 1_000_000n),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        timers.push({
          atMillis: nowMillis + Math.ceil(Duration.toMillis(duration)),
          order: order++,
          run: () => resume(Effect.void)
        })
      })
  }
  const context = Context.empty().pipe(Context.add(Scheduler.Scheduler, scheduler), Context.add(Clock.Clock, clock))
  const fiber = Effect.runForkWith(context)(program)
  for (let step = 0; step < stepsMax; step++) {
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return exit
    const task = tasks.shift()
    if (task !== undefined) {
      task()
      continue
    }
    timers.sort((a, b) => a.atMillis - b.atMillis || a.order - b.order)
    const timer = timers.shift()
    if (timer === undefined) return Exit.die("stuck: nothing can run, and no timer is set")
    nowMillis = Math.max(nowMillis, timer.atMillis)
    timer.run()
  }
  return Exit.die(`going in circles: not done after ${stepsMax} steps`)
}
