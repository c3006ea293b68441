/**
 * `npm run mutants`: are the invariants worth anything? Each mutant is a bug in one place of the shipping code. It must
 * survive everything that has no faults, and be killed by the invariant that is named for it, in each of several
 * disjoint ranges of seeds.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { reportFailure, withUsageExitCode } from "../../src/cli/ErrorReport.ts"
import * as Measure from "../../src/cli/Measure.ts"
import { version } from "../../src/cli/Version.ts"
import { isFaultFree } from "../../src/simulation/Scenario.ts"
import { mutants } from "./mutants/all.ts"
import type { Mutant } from "./mutants/Mutant.ts"
import { limitFrom, tryOne, type Verdict } from "./mutants/Trial.ts"
import { cacheFile, newUnchanged } from "./mutants/Unchanged.ts"
import * as Scripts from "./scripts.ts"

const print = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))

/** Ranges begin far apart, so that a larger `--max` does not let them overlap. */
const rangeStep = 100_000
const quietSeeds = [1, 2].map((seed) => ({
  seed,
  only: [],
  nodesCount: 4,
  servicesCount: 10,
  faultMillis: 60_000
}))

const range = (index: number, max: number): ReadonlyArray<number> =>
  Array.from({ length: max }, (_, seed) => index * rangeStep + seed + 1)

const median = (numbers: ReadonlyArray<number>): number => {
  const sorted = numbers.toSorted((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

const mean = (numbers: ReadonlyArray<number>): number =>
  numbers.reduce((sum, each) => sum + each, 0) / Math.max(1, numbers.length)

const rowOf = ({ kills, mutant, others, problem }: Verdict): ReadonlyArray<string> => {
  const runs = kills.map(({ runsCount }) => runsCount)
  return [
    mutant.name,
    mutant.killedBy,
    kills.map(({ where }) => where.replace(/^seed (\d+)$/, "$1")).join(" "),
    kills.length === 0 ? "" : String(median(runs)),
    kills.length === 0 ? "" : mean(runs).toFixed(1),
    [...new Set(others.map(({ invariant }) => invariant))].toSorted().join(" "),
    problem === undefined ? "killed" : "ALIVE"
  ]
}

const jsonOf = ({ kills, mutant, others, problem }: Verdict) => ({
  name: mutant.name,
  what: mutant.what,
  killedBy: mutant.killedBy,
  isFoundWithoutFaults: mutant.isFoundWithoutFaults === true,
  isKilled: problem === undefined,
  kills: kills.map((each) => ({ ...each })),
  others: others.map((each) => ({ ...each }))
})

const measurementOf = (verdicts: ReadonlyArray<Verdict>): Measure.Measurement => ({
  table: {
    columns: ["mutant", "killed by", "at seed", "median", "mean", "others", "verdict"],
    rows: verdicts.map(rowOf)
  },
  bounds: verdicts.map(({ mutant, problem }) => ({
    says: `${mutant.name} (${mutant.what}): ${problem ?? `killed by ${mutant.killedBy}`}`,
    held: problem === undefined
  })),
  json: { mutants: verdicts.map(jsonOf) }
})

interface Options {
  readonly isQuick: boolean
  readonly max: number
  readonly rangesCount: number
  readonly workersCount: number
}

const judgeAll = Effect.fnUntraced(function* (
  chosen: ReadonlyArray<Mutant>,
  { isQuick, max, rangesCount, workersCount }: Options
) {
  const unchanged = yield* newUnchanged(cacheFile)
  const ranges = Array.from({ length: rangesCount }, (_, index) => range(index, max))
  const withoutFaults = {
    scenarios: Scripts.names.filter((name) => isFaultFree(Scripts.readScript(name))),
    seeds: quietSeeds
  }
  return yield* Effect.forEach(
    chosen,
    (mutant) => {
      const planned = isQuick ? [[...new Set([...(mutant.seeds ?? []), ...range(0, max)])]] : ranges
      return Effect.tap(
        tryOne(mutant, { ranges: planned, withoutFaults, unchanged, limit: limitFrom(unchanged) }),
        (verdict) =>
          print(
            `${verdict.problem === undefined ? "killed" : "ALIVE "} ${mutant.name}: ${verdict.problem ?? rowOf(verdict).slice(1, 6).join(", ")}`
          )
      )
    },
    { concurrency: workersCount }
  )
}, Effect.scoped)

const countFlag = (name: string, value: number, description: string) =>
  Flag.Int(name).pipe(Flag.withMetavar("N"), Flag.withDescription(description), Flag.withDefault(value))

Command.make(
  "mutants",
  {
    ranges: countFlag("ranges", 5, "Disjoint ranges of seeds, in each of which it must be killed"),
    max: countFlag("max", 1_000, "Seeds of a range"),
    workers: countFlag("workers", 2, "Mutants that are tried at once"),
    only: Flag.String("only").pipe(
      Flag.withMetavar("NAME,NAME,…"),
      Flag.withDescription("These mutants only"),
      Flag.map((text) => text.split(",")),
      Flag.filterMap(
        (names) =>
          names.every((name) => mutants.some((each) => each.name === name)) ? Option.some(names) : Option.none(),
        (names) => `no such mutant among ${names.join(", ")}. There are: ${mutants.map(({ name }) => name).join(", ")}`
      ),
      Flag.optional
    ),
    quick: Flag.Boolean("quick").pipe(
      Flag.withDescription("One range, the seeds that are known to kill first"),
      Flag.withDefault(false)
    ),
    json: Measure.jsonFlag
  },
  ({ json, max, only, quick, ranges, workers }) =>
    Effect.gen(function* () {
      const chosen = Option.match(only, {
        onNone: () => mutants,
        onSome: (names) => mutants.filter(({ name }) => names.includes(name))
      })
      const options = { isQuick: quick, max, rangesCount: ranges, workersCount: workers }
      const verdicts = yield* judgeAll(chosen, options)
      yield* Measure.finish(measurementOf(verdicts), Option.getOrUndefined(json), print)
    }).pipe(reportFailure)
).pipe(
  Command.withDescription("Bugs in one place each: every one must be found by the invariant that is named for it"),
  Command.run({ version }),
  withUsageExitCode,
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
