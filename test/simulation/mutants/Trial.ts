/** One mutant before the court: what finds it, and how soon. */
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import type { Mutant } from "./Mutant.ts"
import type { Answer, Task } from "./worker.ts"

/** Runs tasks one after the other in a process of its own. */
export interface Runner {
  readonly ask: (task: Task) => Effect.Effect<Answer>
}

export const newRunner = (mutant: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => fork(fileURLToPath(new URL("worker.ts", import.meta.url)), [mutant], { stdio: "inherit" })),
      (child) => Effect.sync(() => void child.kill())
    ),
    (child): Runner => ({
      ask: (task) =>
        Effect.callback<Answer>((resume) => {
          const ended = (code: number | null) =>
            resume(
              Effect.succeed({ where: "process", violation: { invariant: "crash", message: `ended with ${code}` } })
            )
          child.once("exit", ended)
          child.once("message", (answer) => {
            child.off("exit", ended)
            resume(Effect.succeed(answer as Answer))
          })
          child.send(task)
        })
    })
  )

export interface Plan {
  /** Disjoint ranges of seeds. */
  readonly ranges: ReadonlyArray<ReadonlyArray<number>>
  /** Seeds without faults that a mutant must survive. */
  readonly faultFreeSeeds: ReadonlyArray<number>
  /** Whether the code as it is passes the seed: one that fails anyhow proves nothing. */
  readonly passesUnchanged: (seed: number) => Effect.Effect<boolean>
}

export interface Kill {
  readonly invariant: string
  readonly where: string
  readonly message: string
  /** Seeds that were run until then. */
  readonly runsCount: number
}

export interface Verdict {
  readonly mutant: Mutant
  readonly kills: ReadonlyArray<Kill>
  /** Why it does not count as killed; undefined: it does. */
  readonly problem: string | undefined
}

const killOf = ({ violation, where }: Answer, runsCount: number): Kill | undefined =>
  violation === undefined ? undefined : { ...violation, where, runsCount }

const faultFreeKill = Effect.fnUntraced(function* (runner: Runner, { faultFreeSeeds }: Plan) {
  const inScenarios = killOf(yield* runner.ask({ type: "scenarios" }), 0)
  if (inScenarios !== undefined) return inScenarios
  for (const [index, seed] of faultFreeSeeds.entries()) {
    const kill = killOf(yield* runner.ask({ type: "seed", seed, isFaultFree: true }), index + 1)
    if (kill !== undefined) return kill
  }
  return undefined
})

const rangeKill = Effect.fnUntraced(function* (runner: Runner, range: ReadonlyArray<number>, plan: Plan) {
  for (const [index, seed] of range.entries()) {
    const kill = killOf(yield* runner.ask({ type: "seed", seed, isFaultFree: false }), index + 1)
    if (kill !== undefined && (yield* plan.passesUnchanged(seed))) return kill
  }
  return undefined
})

const problemOf = ({ killedBy }: Mutant, kills: ReadonlyArray<Kill>): string | undefined => {
  const other = kills.find(({ invariant }) => invariant !== killedBy)
  return other === undefined
    ? undefined
    : `killed by ${other.invariant} instead of ${killedBy} in ${other.where}: ${other.message}`
}

export const tryOne = Effect.fnUntraced(function* (mutant: Mutant, plan: Plan) {
  const runner = yield* newRunner(mutant.name)
  const early = yield* faultFreeKill(runner, plan)
  const isExpected = mutant.isFoundWithoutFaults === true
  if (isExpected) {
    const problem = early === undefined ? "nothing without faults finds it" : problemOf(mutant, [early])
    return { mutant, kills: early === undefined ? [] : [early], problem } satisfies Verdict
  }
  if (early !== undefined) {
    return {
      mutant,
      kills: [early],
      problem: `${early.invariant} finds it without faults: ${early.where}: ${early.message}`
    } satisfies Verdict
  }
  const kills: Array<Kill> = []
  for (const range of plan.ranges) {
    const kill = yield* rangeKill(runner, range, plan)
    if (kill === undefined) {
      return { mutant, kills, problem: `survives ${range.length} seeds from ${range[0]} on` } satisfies Verdict
    }
    kills.push(kill)
    const problem = problemOf(mutant, kills)
    if (problem !== undefined) return { mutant, kills, problem } satisfies Verdict
  }
  return { mutant, kills, problem: undefined } satisfies Verdict
}, Effect.scoped)
