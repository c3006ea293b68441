/**
 * One operating system process of the simulation: what its fibers run on, its clocks and its chance. Everything forked
 * from a program that got this context belongs to it.
 */
import { Clock, Context, Duration, Effect, Random, References, Scheduler } from "effect"
import type { Prng } from "./Prng.ts"
import type { Timer } from "./TimerHeap.ts"

/** An effect that does not yield by itself does so after so many operations, as Effect's own scheduler has it. */
const operationsMax = 2048

/** Of operations until the next preemption. */
const never = -1

/** Monotonic clocks start at some arbitrary value (clock_gettime(2)). */
const bootMillis = 1_000_000

export interface Task {
  readonly process: Process
  readonly run: () => void
}

/** What a process needs of the machine that runs all of them. */
export interface Machine {
  /** True time in whole milliseconds. */
  readonly nowMillis: number
  /** Probability that a fiber yields after an operation. */
  readonly preemption: number
  readonly schedule: (task: Task) => void
  readonly setTimer: (afterMillis: number, run: () => void) => Timer
  readonly clearTimer: (timer: Timer) => void
}

export class Process {
  readonly name: string
  readonly context: Context.Context<never>
  lastFiberId = 0
  /** Wall clock minus true time. */
  wallOffsetMillis = 0
  /** When it last went on after a stop, in true time. */
  resumedMillis = Number.NEGATIVE_INFINITY
  private readonly kernel: Machine
  private readonly random: Prng
  private isDead = false
  /** How many want it stopped, and its machine frozen: it runs again when the last of them has let it go. */
  private stopsCount = 0
  private freezesCount = 0
  private waiting: Array<Task> = []
  private frozenTimers: Array<() => void> = []
  private untilYield: number
  /** The monotonic clock runs at `rate` from `anchor` on. */
  private rate = 1
  private anchor: { readonly trueMillis: number; readonly monotonicMillis: number }

  constructor(kernel: Machine, name: string, random: Prng) {
    this.kernel = kernel
    this.name = name
    this.random = random
    this.untilYield = this.drawUntilYield()
    this.anchor = { trueMillis: kernel.nowMillis, monotonicMillis: bootMillis }
    this.context = Context.empty().pipe(
      Context.add(Scheduler.Scheduler, this.newScheduler()),
      Context.add(Clock.Clock, this.newClock()),
      Context.add(Random.Random, this.newRandom()),
      Context.add(References.MinimumLogLevel, "None"),
      // Span ids come from Math.random.
      Context.add(References.TracerEnabled, false)
    )
  }

  /** As by `kill -9`: not one more step, no last words. What it sent is on its way all the same. */
  kill(): void {
    this.isDead = true
    this.waiting = []
    this.frozenTimers = []
  }

  get isAlive(): boolean {
    return !this.isDead
  }

  get isRunning(): boolean {
    return !this.isDead && !this.isPaused
  }

  /** As by SIGSTOP: it does not run, and its clocks go on. */
  pause(): void {
    this.stopsCount++
  }

  resume(): void {
    this.stopsCount = Math.max(0, this.stopsCount - 1)
    this.goOn()
  }

  /** Its virtual machine is paused: it does not run, and its clocks stand still. */
  freeze(): void {
    if (!this.isFrozen) this.reanchor()
    this.freezesCount++
  }

  unfreeze(): void {
    if (this.freezesCount === 1) {
      this.anchor = { trueMillis: this.kernel.nowMillis, monotonicMillis: this.anchor.monotonicMillis }
    }
    this.freezesCount = Math.max(0, this.freezesCount - 1)
    if (this.isFrozen) return
    const { frozenTimers } = this
    this.frozenTimers = []
    for (const rearm of frozenTimers) rearm()
    this.goOn()
  }

  /** 1.0 is right. */
  setRate(rate: number): void {
    this.reanchor()
    this.rate = rate
  }

  private get isPaused(): boolean {
    return this.stopsCount > 0 || this.isFrozen
  }

  private get isFrozen(): boolean {
    return this.freezesCount > 0
  }

  private goOn(): void {
    if (this.isPaused) return
    this.resumedMillis = this.kernel.nowMillis
    const { waiting } = this
    this.waiting = []
    for (const task of waiting) this.kernel.schedule(task)
  }

  run(task: Task): void {
    if (this.isDead) return
    if (this.isPaused) this.waiting.push(task)
    else task.run()
  }

  monotonicMillis(): number {
    if (this.isFrozen) return this.anchor.monotonicMillis
    return this.anchor.monotonicMillis + Math.floor((this.kernel.nowMillis - this.anchor.trueMillis) * this.rate)
  }

  private reanchor(): void {
    this.anchor = { trueMillis: this.kernel.nowMillis, monotonicMillis: this.monotonicMillis() }
  }

  private newScheduler(): Scheduler.Scheduler {
    const dispatcher: Scheduler.SchedulerDispatcher = {
      scheduleTask: (run) => {
        if (!this.isDead) this.kernel.schedule({ process: this, run })
      },
      flush: () => {}
    }
    return {
      executionMode: "sync",
      makeDispatcher: () => dispatcher,
      shouldYield: (fiber) => {
        this.lastFiberId = fiber.id
        if (fiber.currentOpCount >= operationsMax) return true
        // Asked before each operation: counted in small integers, which need no memory.
        if (this.untilYield === never || --this.untilYield > 0) return false
        this.untilYield = this.drawUntilYield()
        return true
      }
    }
  }

  /** Operations until the next preemption: geometric, so that each operation has the same chance. */
  private drawUntilYield(): number {
    const { preemption } = this.kernel
    if (preemption <= 0) return never
    return 1 + Math.floor(Math.log(1 - this.random.fraction()) / Math.log(1 - preemption))
  }

  private newClock(): Clock.Clock {
    const startMillis = this.kernel.nowMillis
    const wallMillis = () => startMillis + this.monotonicMillis() - bootMillis + this.wallOffsetMillis
    const monotonicNanos = () => BigInt(this.monotonicMillis()) * 1_000_000n
    const wallNanos = () => BigInt(wallMillis()) * 1_000_000n
    return {
      currentTimeMillisUnsafe: wallMillis,
      currentTimeMillis: Effect.sync(wallMillis),
      currentTimeNanosUnsafe: wallNanos,
      currentTimeNanos: Effect.sync(wallNanos),
      monotonicTimeNanosUnsafe: monotonicNanos,
      monotonicTimeNanos: Effect.sync(monotonicNanos),
      sleep: (duration) => this.sleep(Duration.toMillis(duration))
    }
  }

  private sleep(millis: number): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      let timer: Timer
      const wake = () => resume(Effect.void)
      const arm = (leftMillis: number) => {
        const until = this.monotonicMillis() + leftMillis
        timer = this.kernel.setTimer(leftMillis / this.rate, () => {
          if (this.isDead) return
          const left = until - this.monotonicMillis()
          if (this.isFrozen) this.frozenTimers.push(() => arm(Math.max(0, left)))
          else if (left > 0) arm(left)
          // A resumed fiber runs at once, within this call: a stopped process must not.
          else if (this.isPaused) this.waiting.push({ process: this, run: wake })
          else wake()
        })
      }
      arm(millis)
      return Effect.sync(() => this.kernel.clearTimer(timer))
    })
  }

  private newRandom() {
    return {
      nextIntUnsafe: () => this.random.next() * 2 ** 21 - 2 ** 52 + (this.random.next() >>> 11),
      nextDoubleUnsafe: () => this.random.fraction()
    }
  }
}
