/**
 * `npm run simulate`: runs seeds of the simulator and says what they showed. Exit codes: 0 all passed and every bound
 * held, 1 a bound missed, 2 wrong arguments, 3 safety, 4 liveness, 5 the programs crashed, 6 the simulator failed.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Data, Effect, Option, Runtime, Stdio } from "effect"
import { Command, Flag } from "effect/cli"
import { reportFailure, withUsageExitCode } from "../../src/cli/ErrorReport.ts"
import * as Measure from "../../src/cli/Measure.ts"
import { version } from "../../src/cli/Version.ts"
import { cover, type Coverage, type SeedRecord, tableOf } from "../../src/simulation/Coverage.ts"
import { faults } from "../../src/simulation/faults/all.ts"
import { infeasible } from "../../src/simulation/faults/infeasible.ts"
import { reportOf } from "../../src/simulation/Report.ts"
import { run, type RunOptions, type Verdict } from "../../src/simulation/Run.ts"
import { shrink } from "../../src/simulation/Shrink.ts"
import { modes } from "../../src/simulation/Enumerate.ts"
import { enumerateAll, replay } from "./enumerate.ts"
import * as Scripts from "./scripts.ts"
import { names as situations } from "../../src/simulation/Sometimes.ts"
import { runAll } from "./Seeds.ts"

const exitCodes: { readonly [V in Verdict]: number } = { passed: 0, safety: 3, liveness: 4, crash: 5, simulator: 6 }

/** Printed already, hence not reported again. */
class SeedFailed extends Data.TaggedError("SeedFailed")<{ readonly message: string; readonly verdict: Verdict }> {
  override readonly [Runtime.errorReported] = true
  override readonly [Runtime.errorExitCode] = exitCodes[this.verdict]
}

const print = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))

const names = faults.map(({ name }) => name)

const parseFaults = (text: string): ReadonlyArray<string> => text.split(",").filter((name) => name !== "")

const onlyFlag = Flag.String("only").pipe(
  Flag.withMetavar("FAULT,FAULT,…"),
  Flag.withDescription("These faults and no others; an empty text: none"),
  Flag.map(parseFaults),
  Flag.filterMap(
    (only) => (only.every((name) => names.includes(name)) ? Option.some(only) : Option.none()),
    (only) =>
      `no such fault: ${only.filter((name) => !names.includes(name)).join(", ")}. There are: ${names.join(", ")}`
  ),
  Flag.optional
)

const countFlag = (name: string, metavar: string, description: string, least = 1) =>
  Flag.Int(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(description),
    Flag.filterMap(
      (value) => (value >= least ? Option.some(value) : Option.none()),
      (value) => `expected a whole number of at least ${least}, got ${value}`
    )
  )

const flags = {
  seed: countFlag("seed", "K", "One seed; with a story of what happened when it fails", 0).pipe(Flag.optional),
  seeds: countFlag("seeds", "N", "So many seeds").pipe(Flag.optional),
  from: countFlag("from", "K", "The first of them", 0).pipe(Flag.withDefault(1)),
  workers: countFlag("workers", "N", "Seeds that run at once").pipe(Flag.withDefault(2)),
  only: onlyFlag,
  nodes: countFlag("nodes", "N", "Nodes; without it the seed draws 2 to 10").pipe(Flag.optional),
  services: countFlag("services", "N", "Services; without it the seed draws 1 to 50").pipe(Flag.optional),
  faultSeconds: countFlag("fault-seconds", "N", "Time of faults; below 300 a seed does not count").pipe(Flag.optional),
  story: Flag.Boolean("story").pipe(
    Flag.withDescription("Print everything that happened (with --seed)"),
    Flag.withDefault(false)
  ),
  log: Flag.String("log").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("A line for each seed that ran; seeds that are in it already are not run again"),
    Flag.optional
  ),
  keepGoing: Flag.Boolean("keep-going").pipe(
    Flag.withDescription("Go on after a seed that failed"),
    Flag.withDefault(false)
  ),
  enumerate: Flag.Boolean("enumerate").pipe(
    Flag.withDescription("Every scenario once for each external effect and each way to fail there"),
    Flag.withDefault(false)
  ),
  scenario: Flag.Literals("scenario", Scripts.names).pipe(
    Flag.withDescription("One scenario, told; with --enumerate: this one only"),
    Flag.optional
  ),
  at: countFlag("at", "N", "Which effect of the scenario goes wrong").pipe(Flag.optional),
  mode: Flag.Literals("mode", modes).pipe(
    Flag.withDescription("How it goes wrong (with --at)"),
    Flag.withDefault(modes[0])
  ),
  json: Measure.jsonFlag
}

/** Makes the failure small, and tells it. */
const explain = Effect.fnUntraced(function* (options: RunOptions) {
  const failed = run(options)
  if (failed.verdict === "passed") return
  yield* print(`seed ${options.seed}: making it smaller …`)
  const smallest = shrink(options, failed, run)
  const told = run({ ...smallest.options, isTold: true })
  yield* Effect.forEach(reportOf(smallest.options, told), print)
  yield* print(
    `(as it was found: npm run simulate -- --seed ${options.seed}; ${smallest.runsCount} runs to make it smaller)`
  )
})

const counts = (map: ReadonlyMap<string, number>): string =>
  [...map].map(([name, count]) => `${name} ${count}`).join(", ")

const one = Effect.fnUntraced(function* (options: RunOptions, isWhole: boolean) {
  const result = run({ ...options, isTold: isWhole })
  if (isWhole) yield* Effect.forEach(result.story, print)
  yield* print(
    `seed ${result.seed}: ${result.verdict}; ${result.nodesCount} nodes, ${result.servicesCount} Services, ` +
      `${(result.simulatedMillis / 1000).toFixed(0)} s simulated, trace ${result.hash}`
  )
  yield* print(`  faults: ${result.faults.join(", ") || "none"}`)
  yield* print(`  seen: ${counts(result.seen)}`)
  if (result.excused.size > 0) yield* print(`  excused: ${counts(result.excused)}`)
  if (result.verdict === "passed") return
  if (!isWhole) yield* explain(options)
  return yield* new SeedFailed({ message: `seed ${result.seed}`, verdict: result.verdict })
})

const progressLine = (startedAt: number) => {
  let failed = 0
  let simulatedMillis = 0
  return (record: SeedRecord, done: number, all: number): string => {
    if (record.verdict !== "passed") failed++
    simulatedMillis += record.simulatedMillis
    const seconds = (performance.now() - startedAt) / 1000
    const rate = (simulatedMillis / 1000 / seconds).toFixed(0)
    return `${done} of ${all} seeds, ${failed} failed, ${rate} simulated seconds per second`
  }
}

const many = Effect.fnUntraced(function* (
  plan: Omit<Parameters<typeof runAll>[0], "onSeed">,
  json: string | undefined
) {
  const isTerminal = yield* Effect.flatMap(Stdio.Stdio, ({ stdoutIsTerminal }) => stdoutIsTerminal)
  const startedAt = performance.now()
  const line = progressLine(startedAt)
  const records = yield* runAll({
    ...plan,
    onSeed: (record, done, all) => {
      const text = line(record, done, all)
      if (isTerminal) process.stdout.write(`\r\u001b[2K${text}`)
      else if (done % 100 === 0 || record.verdict !== "passed") process.stdout.write(`${text}\n`)
    }
  })
  if (isTerminal) process.stdout.write("\r\u001b[2K")
  const failures = records.filter(({ verdict }) => verdict !== "passed")
  for (const { seed, violations } of failures) {
    for (const { invariant, message } of violations.slice(0, 3)) yield* print(`seed ${seed}: ${invariant}: ${message}`)
  }
  const coverage = cover(records, {
    faults: names,
    infeasible: infeasible.map(({ pair }) => pair),
    sometimes: situations
  })
  const bounds = [
    { says: `no seed fails; ${failures.length} did`, held: failures.length === 0 },
    ...(records.length < coverageSeeds ? [] : boundsOf(coverage))
  ]
  const simulatedSeconds = records.reduce((sum, each) => sum + each.simulatedMillis, 0) / 1000
  const measurement = {
    table: tableOf(coverage),
    bounds,
    json: {
      seedsCount: records.length,
      failedCount: failures.length,
      simulatedSeconds,
      elapsedSeconds: (performance.now() - startedAt) / 1000,
      pairsSeenCount: coverage.pairsSeen,
      pairsFeasibleCount: coverage.pairsFeasible,
      pairsUnseen: coverage.pairsUnseen.map((pair) => pair.join(" + ")),
      failures: failures.map(({ seed, violations }) => ({ seed, violations: violations.map(({ message }) => message) }))
    }
  }
  const [first] = failures
  if (first === undefined) return yield* Measure.finish(measurement, json, print)
  yield* Effect.ignore(Measure.finish(measurement, json, print))
  yield* explain({ ...plan.options, seed: first.seed })
  return yield* new SeedFailed({ message: `seed ${first.seed}`, verdict: first.verdict })
})

/** So many seeds must between them have seen what can be seen. */
const coverageSeeds = 1_000
/** Of all pairs of faults that can both change something in one seed. */
const pairsShare = 0.95

const unseenOf = (counts: ReadonlyMap<string, number>): string =>
  [...counts].flatMap(([name, count]) => (count === 0 ? [name] : [])).join(", ") || "none"

const boundsOf = ({ faults, pairsFeasible, pairsSeen, sometimes }: Coverage): ReadonlyArray<Measure.Bound> => [
  { says: `every fault changed something; not: ${unseenOf(faults)}`, held: unseenOf(faults) === "none" },
  {
    says: `at least ${100 * pairsShare} % of the pairs of faults did in one seed; ${pairsSeen} of ${pairsFeasible} did`,
    held: pairsSeen >= pairsShare * pairsFeasible
  },
  { says: `every situation came up; not: ${unseenOf(sometimes)}`, held: unseenOf(sometimes) === "none" }
]

const told = Effect.fnUntraced(function* (name: string, at: number | undefined, mode: (typeof modes)[number]) {
  const verdict = yield* replay(name, at, mode, print)
  if (verdict !== "passed") return yield* new SeedFailed({ message: name, verdict })
})

const range = (from: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, index) => from + index)

Command.make("simulate", flags, (given) => {
  const options: Omit<RunOptions, "seed"> = {
    only: Option.getOrUndefined(given.only),
    nodesCount: Option.getOrUndefined(given.nodes),
    servicesCount: Option.getOrUndefined(given.services),
    faultMillis: Option.getOrUndefined(Option.map(given.faultSeconds, (seconds) => seconds * 1000))
  }
  const wanted = Option.getOrElse(given.seeds, () => 1)
  const { scenario } = given
  if (given.enumerate) {
    const chosen = Option.match(scenario, { onNone: () => Scripts.names, onSome: (name) => [name] })
    return reportFailure(enumerateAll(chosen, Option.getOrUndefined(given.json), print))
  }
  if (Option.isSome(scenario)) return reportFailure(told(scenario.value, Option.getOrUndefined(given.at), given.mode))
  const program = Option.isSome(given.seed)
    ? one({ ...options, seed: given.seed.value }, given.story)
    : many(
        {
          seeds: range(given.from, wanted),
          options,
          workersCount: given.workers,
          log: Option.getOrUndefined(given.log),
          stopsAtFailure: !given.keepGoing
        },
        Option.getOrUndefined(given.json)
      )
  return reportFailure(program)
}).pipe(
  Command.withDescription("The real controller and operators in a simulated cluster, under faults drawn from a seed"),
  Command.run({ version }),
  withUsageExitCode,
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
