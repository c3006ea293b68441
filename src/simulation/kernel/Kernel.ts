/**
 * Runs many programs to their end in one synchronous call: one run queue for the fibers of all processes, whose order
 * the seed draws, and a clock that jumps to the next timer when nothing can run. A process can be paused and killed
 * between any two steps, and has a clock of its own that may be wrong.
 */
import { Effect, Exit } from "effect"
import { type Machine, Process, type Task } from "./Process.ts"
import { Prng } from "./Prng.ts"
import { type Timer, TimerHeap } from "./TimerHeap.ts"

export interface KernelOptions {
  readonly seed: number
  /** Probability that a fiber yields after an operation; undefined: drawn from {0, 0.02, 0.2}. */
  readonly preemption?: number
  /** Undefined: drawn. */
  readonly isShuffled?: boolean
  /** Steps that one virtual instant may take. */
  readonly stepsMax?: number
}

/** Something that never yields, or wakes itself without time passing. */
export class GoingInCircles extends Error {
  override readonly name = "GoingInCircles"
}

/** 2027-01-15T08:00:00Z: a run must not depend on the day it is run. */
const epochMillis = 1_800_000_000_000
const stepsMaxDefault = 2_000_000
const preemptions = [0, 0.02, 0.2]

export class Kernel implements Machine {
  readonly random: Prng
  readonly preemption: number
  /** Whether the next task is drawn, or the oldest one. */
  readonly isShuffled: boolean
  /** True time in whole milliseconds. */
  nowMillis = epochMillis
  /** Tasks run so far. */
  stepsCount = 0
  private readonly stepsMax: number
  private readonly order: Prng
  private tasks: Array<Task> = []
  /** Of `tasks`, what has run already, when not shuffled. */
  private taken = 0
  private readonly timers = new TimerHeap()
  private timersCount = 0
  private readonly processes: Array<Process> = []

  constructor({ isShuffled, preemption, seed, stepsMax }: KernelOptions) {
    this.random = new Prng(seed)
    const drawn = this.random.fork("kernel")
    this.preemption = preemption ?? drawn.pick(preemptions) ?? 0
    const isDrawn = drawn.chance(0.5)
    this.isShuffled = isShuffled ?? isDrawn
    this.order = drawn.fork("order")
    this.stepsMax = stepsMax ?? stepsMaxDefault
  }

  process(name: string): Process {
    const process = new Process(this, name, this.random.fork(`process ${name} ${this.processes.length}`))
    this.processes.push(process)
    return process
  }

  schedule(task: Task): void {
    this.tasks.push(task)
  }

  /** `afterMillis` is rounded up, and at least one: a clock with fractions makes timeouts spin. */
  setTimer(afterMillis: number, run: () => void): Timer {
    const timer: Timer = {
      atMillis: this.nowMillis + Math.max(1, Math.ceil(afterMillis)),
      rank: this.isShuffled ? this.order.next() : 0,
      number: this.timersCount++,
      run,
      isCancelled: false
    }
    if (Number.isFinite(timer.atMillis)) this.timers.push(timer)
    return timer
  }

  clearTimer(timer: Timer): void {
    this.timers.cancel(timer)
  }

  /** Until the program ends, whatever else could still run. Dies when nothing can, or an instant does not end. */
  run<A, E>(program: Effect.Effect<A, E>): Exit.Exit<A, E> {
    const process = this.process("world")
    const fiber = Effect.runForkWith(process.context)(program)
    while (true) {
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return exit
      this.instant()
      if (fiber.pollUnsafe() !== undefined) continue
      const timer = this.timers.pop()
      if (timer === undefined) return Exit.die(new GoingInCircles("nothing can run, and no timer is set"))
      this.nowMillis = Math.max(this.nowMillis, timer.atMillis)
      timer.run()
    }
  }

  /** Everything that can run without time passing. */
  private instant(): void {
    for (let step = 0; step < this.stepsMax; step++) {
      const task = this.take()
      if (task === undefined) return
      this.stepsCount++
      task.process.run(task)
    }
    throw new GoingInCircles(
      `${this.stepsMax} steps without time passing; the last were of ${this.busiest(1000).join(", ")}`
    )
  }

  private take(): Task | undefined {
    const left = this.tasks.length - this.taken
    if (left === 0) {
      this.tasks.length = 0
      this.taken = 0
      return undefined
    }
    if (!this.isShuffled) {
      if (this.taken > 4096) {
        this.tasks = this.tasks.slice(this.taken)
        this.taken = 0
      }
      return this.tasks[this.taken++]
    }
    const index = left === 1 ? 0 : this.order.next() % left
    const task = this.tasks[index]
    const last = this.tasks.pop()
    if (index < this.tasks.length && last !== undefined) this.tasks[index] = last
    return task
  }

  /** Who runs most in the next steps: for the message of a run that does not end. */
  private busiest(steps: number): ReadonlyArray<string> {
    const counts = new Map<string, number>()
    for (let step = 0; step < steps; step++) {
      const task = this.take()
      if (task === undefined) break
      task.process.run(task)
      const name = `${task.process.name} (fiber #${task.process.lastFiberId})`
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    return [...counts]
      .toSorted((left, right) => right[1] - left[1])
      .map(([name]) => name)
      .slice(0, 3)
  }
}
