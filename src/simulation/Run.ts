/**
 * One seed: a cluster starts, works under faults, heals, and must converge. Which faults, how large, how the fibers are
 * ordered: all drawn from the seed, unless given.
 */
import { Cause, Effect, Exit, Fiber } from "effect"
import type * as Candidates from "../domain/Candidates.ts"
import type { TruthEvent, Violation } from "../invariants/GroundTruth.ts"
import { Court, Stopped, untilConvicted } from "./Court.ts"
import type { Fault } from "./Fault.ts"
import { faults as allFaults } from "./faults/all.ts"
import { withGuard } from "./kernel/Guard.ts"
import { GoingInCircles, Kernel } from "./kernel/Kernel.ts"
import { lastPhase } from "./LastPhase.ts"
import * as Oddities from "./Oddities.ts"
import * as Sometimes from "./Sometimes.ts"
import * as Users from "./Users.ts"
import { Story } from "./world/Story.ts"
import * as World from "./world/World.ts"

export interface RunOptions {
  readonly seed: number
  /** Flags that are on; undefined: each with probability 1/2. */
  readonly only?: ReadonlyArray<string> | undefined
  readonly nodesCount?: number | undefined
  readonly servicesCount?: number | undefined
  /** Time of faults. Shorter than five minutes does not count as a seed. */
  readonly faultMillis?: number | undefined
  /** Keeps the lines of the story. */
  readonly isTold?: boolean | undefined
}

/** `crash`: the programs died or went in circles; `simulator`: the simulator itself failed. */
export type Verdict = "passed" | "safety" | "liveness" | "crash" | "simulator"

export interface RunResult {
  readonly seed: number
  readonly verdict: Verdict
  /** The first violation, or the crash. */
  readonly violations: ReadonlyArray<Violation>
  readonly faults: ReadonlyArray<string>
  readonly nodesCount: number
  readonly servicesCount: number
  readonly faultMillis: number
  /** By invariant, how often it was excused. */
  readonly excused: ReadonlyMap<string, number>
  /** What was seen, by name: faults that changed something, situations. */
  readonly seen: ReadonlyMap<string, number>
  readonly simulatedMillis: number
  readonly stepsCount: number
  /** To the API server, of all clients. */
  readonly requestsCount: number
  readonly hash: string
  readonly story: ReadonlyArray<string>
}

export const faultMillisDefault = 300_000

const drawFaults = (kernel: Kernel, only: ReadonlyArray<string> | undefined): ReadonlyArray<Fault> => {
  const swarm = kernel.random.fork("swarm")
  // Each is drawn whether it is asked for or not: leaving one out must not change the others.
  const drawn = allFaults.filter(() => swarm.chance(0.5))
  return only === undefined ? drawn : allFaults.filter(({ name }) => only.includes(name))
}

const live = Effect.fnUntraced(function* (
  world: World.World,
  court: Court,
  faults: ReadonlyArray<Fault>,
  { servicesCount, faultMillis, seed }: { servicesCount: number; faultMillis: number; seed: number }
) {
  const { kernel, story } = world
  yield* Users.settle(world)
  yield* Oddities.place(world)
  const users = yield* Effect.forkChild(Users.work(world, kernel.random.fork("users"), servicesCount))
  const running = yield* Effect.forEach(faults, (fault) =>
    Effect.forkChild(fault.run(world, kernel.random.fork(`fault ${fault.name}`)))
  )
  yield* Effect.sleep(faultMillis)
  yield* Fiber.interruptAll([users, ...running])
  story.tell("the faults end")
  yield* lastPhase(world, court, { isQuiet: seed % 10 === 0, random: kernel.random.fork("last phase") })
})

/** In some clusters few nodes are candidates, as in those that are too large to be simulated in every seed. */
const drawCandidates = (kernel: Kernel): Candidates.Policy | undefined => {
  const random = kernel.random.fork("candidates")
  if (!random.chance(0.4)) return undefined
  return {
    everyNodeUpTo: 2,
    leastCount: random.between(2, 3),
    leastPerZone: random.between(1, 2),
    addressesPerNode: random.between(2, 20)
  }
}

export const run = (options: RunOptions): RunResult => {
  const { faultMillis = faultMillisDefault, only, seed } = options
  const kernel = new Kernel({ seed })
  const sizes = kernel.random.fork("sizes")
  const nodesCount = options.nodesCount ?? sizes.between(2, 10)
  const servicesCount = options.servicesCount ?? sizes.between(1, 50)
  const controllersCount = sizes.between(2, 3)
  const faults = drawFaults(kernel, only)
  const candidates = drawCandidates(kernel)
  const story = new Story(kernel, { isTold: options.isTold ?? false })
  const court = new Court()
  const startMillis = kernel.nowMillis
  // Logs are made for reading only in some: it takes as long as all the rest.
  const hearsLogs = kernel.random.fork("logs").chance(0.2)
  let sight: ((event: TruthEvent) => void) | undefined
  const program = Effect.gen(function* () {
    const world = yield* World.make(kernel, story, { nodesCount, controllersCount, hearsLogs, candidates }, (event) => {
      sight?.(event)
      court.hear(event)
    })
    court.world = world
    sight = Sometimes.watch(world)
    return yield* Effect.raceFirst(
      live(world, court, faults, { servicesCount, faultMillis, seed }),
      untilConvicted(court)
    )
  })
  const body = () => withGuard(() => kernel.run(program))
  const { verdict, violations } = verdictOf(options.isTold === true ? body : () => withoutStackTraces(body))
  return {
    seed,
    verdict,
    violations,
    faults: faults.map(({ name }) => name),
    nodesCount,
    servicesCount,
    faultMillis,
    excused: court.excused,
    seen: story.seen,
    simulatedMillis: kernel.nowMillis - startMillis,
    stepsCount: kernel.stepsCount,
    requestsCount: [...(court.world?.memory.requests().values() ?? [])].reduce((sum, count) => sum + count, 0),
    hash: story.hash(),
    story: story.lines
  }
}

/** Effect notes where each named function was called, and each error where it was made: much, when nobody reads it. */
const withoutStackTraces = <A>(body: () => A): A => {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return body()
  } finally {
    Error.stackTraceLimit = before
  }
}

export const verdictOf = (
  body: () => Exit.Exit<unknown, unknown>
): { readonly verdict: Verdict; readonly violations: ReadonlyArray<Violation> } => {
  try {
    const exit = body()
    if (Exit.isSuccess(exit)) return { verdict: "passed", violations: [] }
    const error = Cause.squash(exit.cause)
    if (error instanceof Stopped) return { verdict: error.verdict, violations: error.violations }
    return { verdict: "crash", violations: [{ invariant: "crash", message: String(error) }] }
  } catch (error) {
    if (!(error instanceof GoingInCircles)) throw error
    return { verdict: "crash", violations: [{ invariant: "crash", message: error.message }] }
  }
}
