/** One mutant before the court: what finds it, and how soon. */
import { Effect } from "effect"
import type { RunOptions } from "../../../src/simulation/Run.ts"
import type { Mutant } from "./Mutant.ts"
import { type Limit, newRunner, type Runner } from "./Runner.ts"
import type { Unchanged } from "./Unchanged.ts"
import type { Finding, Task } from "./worker.ts"

/** How many times as long as without the mutant a task may take. */
const limitFactor = 10
const leastMillis = 20_000
/** So many seeds of a range that others than the named invariant find, and none that it does: it is the wrong name. */
const othersMax = 10
/**
 * As long and with as many faults as any seed, in a cluster of few: that takes half the time. A cluster that is too small for
 * a mutant is told by the mutant.
 */
const fewDefault = { nodesCount: 4, servicesCount: 10 }

export interface Plan {
  /** Disjoint ranges of seeds. */
  readonly ranges: ReadonlyArray<ReadonlyArray<number>>
  /** What a mutant must survive. */
  readonly withoutFaults: Task
  readonly unchanged: Unchanged
  readonly limit: Limit
}

export interface Kill extends Finding {
  /** Seeds that were run until then, without those that fail anyhow. */
  readonly runsCount: number
}

export interface Verdict {
  readonly mutant: Mutant
  readonly kills: ReadonlyArray<Kill>
  /** By other invariants than the named one. */
  readonly others: ReadonlyArray<Finding>
  /** Why it does not count as killed; undefined: it does. */
  readonly problem: string | undefined
}

export const limitFrom = (unchanged: Unchanged): Limit => ({
  leastMillis,
  of: (task) => Effect.map(unchanged.of(task), ({ cpuMillis }) => Math.max(leastMillis, limitFactor * cpuMillis))
})

export const taskOf = ({ cluster = fewDefault }: Pick<Mutant, "cluster">, seed: number): Task => {
  const size: Omit<RunOptions, "seed"> = cluster === "drawn" ? {} : cluster
  return { scenarios: [], seeds: [{ seed, ...size }] }
}

const told = ({ invariant, message, where }: Finding): string => `${invariant} in ${where}: ${message}`

/** The first kill by the named invariant; `others` takes what else was found on the way. */
const rangeKill = Effect.fnUntraced(function* (
  mutant: Mutant,
  runner: Runner,
  range: ReadonlyArray<number>,
  { unchanged }: Plan,
  others: Array<Finding>
) {
  let runsCount = 0
  let othersCount = 0
  for (const seed of range) {
    const task = taskOf(mutant, seed)
    if (unchanged.known(task)?.passes === false) continue
    const [finding] = (yield* runner.ask(task)).findings
    if (finding !== undefined && !(yield* unchanged.of(task)).passes) continue
    runsCount++
    if (finding === undefined) continue
    if (finding.invariant === mutant.killedBy) return { ...finding, runsCount } satisfies Kill
    others.push(finding)
    if (++othersCount === othersMax) return undefined
  }
  return undefined
})

const judgeWithoutFaults = (mutant: Mutant, findings: ReadonlyArray<Finding>): Verdict => {
  const named = findings.find(({ invariant }) => invariant === mutant.killedBy)
  const [first] = findings
  const verdict = {
    mutant,
    kills: named === undefined ? [] : [{ ...named, runsCount: 0 }],
    others: findings.filter(({ invariant }) => invariant !== mutant.killedBy)
  }
  if (mutant.isFoundWithoutFaults !== true && first !== undefined) {
    return { ...verdict, problem: `found without faults, ${told(first)}` }
  }
  if (named !== undefined) return { ...verdict, problem: undefined }
  const instead = first === undefined ? "nothing does" : told(first)
  return { ...verdict, problem: `${mutant.killedBy} does not find it without faults; ${instead}` }
}

const judgeScenario = (mutant: Mutant, scenario: string, findings: ReadonlyArray<Finding>): Verdict => {
  const named = findings.find(({ invariant }) => invariant === mutant.killedBy)
  const others = findings.filter(({ invariant }) => invariant !== mutant.killedBy)
  if (named !== undefined) return { mutant, kills: [{ ...named, runsCount: 0 }], others, problem: undefined }
  const [other] = others
  const instead = other === undefined ? "nothing does" : told(other)
  return { mutant, kills: [], others, problem: `${mutant.killedBy} does not find it in ${scenario}; ${instead}` }
}

export const tryOne = Effect.fnUntraced(function* (mutant: Mutant, plan: Plan) {
  const runner = yield* newRunner(mutant, plan.limit)
  const { findings } = yield* runner.ask(plan.withoutFaults)
  if (mutant.isFoundWithoutFaults === true || findings.length > 0) return judgeWithoutFaults(mutant, findings)
  if (mutant.scenario !== undefined) {
    const inScenario = yield* runner.ask({ scenarios: [mutant.scenario], seeds: [] })
    return judgeScenario(mutant, mutant.scenario, inScenario.findings)
  }
  const kills: Array<Kill> = []
  const others: Array<Finding> = []
  for (const range of plan.ranges) {
    const kill = yield* rangeKill(mutant, runner, range, plan, others)
    if (kill === undefined) {
      const [other] = others
      const found = other === undefined ? "" : `; found otherwise ${others.length} times, first ${told(other)}`
      const problem = `survives ${mutant.killedBy} in the range that begins with seed ${range[0]}${found}`
      return { mutant, kills, others, problem } satisfies Verdict
    }
    kills.push(kill)
  }
  return { mutant, kills, others, problem: undefined } satisfies Verdict
}, Effect.scoped)
