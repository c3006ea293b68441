/**
 * `npm run model`: explores the failover protocol, and shows what happens without each of its rules. Exit codes: 0 no
 * violation, and a counterexample for each rule; 1 a rule without one; 2 wrong arguments; 3 a violation in the protocol.
 */
import { writeSync } from "node:fs"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Data, Effect, Option, Runtime } from "effect"
import { Command, Flag } from "effect/cli"
import { reportFailure, withUsageExitCode } from "../../src/cli/ErrorReport.ts"
import * as Measure from "../../src/cli/Measure.ts"
import { version } from "../../src/cli/Version.ts"
import { type Configuration, configurations } from "./Configurations.ts"
import type { Exploration, Violation } from "./explorer/Explorer.ts"
import { type Case, cases } from "./rules.ts"

/** Printed already, hence not reported again. */
class ProtocolViolated extends Data.TaggedError("ProtocolViolated")<{ readonly message: string }> {
  override readonly [Runtime.errorReported] = true
  override readonly [Runtime.errorExitCode] = 3
}

// At once, so that one sees how far it is: the search between two lines is synchronous.
const print = (line: string) => Effect.sync(() => void writeSync(1, `${line}\n`))

const MIB = 2 ** 20
const seconds = (millis: number): string => `${(millis / 1000).toFixed(1)} s`
const thousands = (value: number): string => value.toLocaleString("en-US")

const printTrace = Effect.fnUntraced(function* ({ says, trace }: Violation) {
  yield* Effect.forEach(trace, (step, index) => print(`  ${String(index + 1).padStart(2)}. ${step}`))
  yield* print(`  => ${says}`)
})

const endOf = ({ depth, endedBy, states }: Exploration): string => {
  if (endedBy === undefined) return "complete"
  if (endedBy === "violation") return "VIOLATION"
  return endedBy === "states" ? `ended at ${thousands(states)} states` : `ended at depth ${depth}`
}

const jsonOf = ({ bytes, depth, endedBy, millis, states, transitions, violation }: Exploration): Measure.Json => ({
  statesCount: states,
  transitionsCount: transitions,
  depthCount: depth,
  isComplete: endedBy === undefined,
  elapsedSeconds: millis / 1000,
  tablesMiB: bytes / MIB,
  trace: violation?.trace ?? []
})

interface Options {
  readonly statesMax: number | undefined
  readonly showsTrace: boolean
  readonly json: string | undefined
}

const exploreAll = Effect.fnUntraced(function* (chosen: ReadonlyArray<Configuration>, { statesMax }: Options) {
  const rows: Array<ReadonlyArray<string>> = []
  const json: Array<Measure.Json> = []
  for (const configuration of chosen) {
    const { bound, name, says } = configuration
    yield* print(`${name}: ${says} (${bound})`)
    const found = configuration.explore(undefined, { statesMax })
    rows.push([
      name,
      thousands(found.states),
      String(found.depth),
      bound,
      endOf(found),
      seconds(found.millis),
      `${(found.bytes / MIB).toFixed(0)} MiB`
    ])
    json.push({ name, bound, result: jsonOf(found) })
    if (found.violation === undefined) continue
    yield* print(`${name}: the protocol itself is violated`)
    yield* printTrace(found.violation)
    return yield* new ProtocolViolated({ message: name })
  }
  const columns = ["configuration", "states", "depth", "bound", "end", "time", "tables"]
  return { rows, json, columns }
})

const breakAll = Effect.fnUntraced(function* (chosen: ReadonlyArray<Case>, { showsTrace, statesMax }: Options) {
  const rows: Array<ReadonlyArray<string>> = []
  const json: Array<Measure.Json> = []
  const bounds: Array<Measure.Bound> = []
  for (const each of chosen) {
    const found = each.explore(statesMax)
    const { name } = each.configuration
    const length = found.violation?.trace.length
    rows.push([each.guard, each.says, name, length === undefined ? "NONE" : String(length), thousands(found.states)])
    json.push({ guard: each.guard, configuration: name, stepsCount: length ?? null, result: jsonOf(found) })
    bounds.push({
      says: `without ${each.guard} (${each.says}) something goes wrong in ${name}`,
      held: length !== undefined
    })
    if (!showsTrace || found.violation === undefined) continue
    yield* print(`without ${each.guard}: ${each.says} (${name})`)
    yield* printTrace(found.violation)
  }
  return { rows, json, bounds, columns: ["without", "that is", "configuration", "steps", "states"] }
})

/** A search never yields, so a signal would wait for its end; there is nothing to clean up. */
const endAtOnce = Effect.sync(() => {
  for (const signal of ["SIGINT", "SIGTERM"]) process.removeAllListeners(signal)
})

const run = Effect.fnUntraced(function* (
  chosen: ReadonlyArray<Configuration>,
  broken: ReadonlyArray<Case>,
  options: Options
) {
  yield* endAtOnce
  const explored = yield* exploreAll(chosen, options)
  if (chosen.length > 0 && broken.length > 0) yield* Effect.forEach(Measure.render(explored), print)
  const rules = yield* breakAll(broken, options)
  const memory = process.resourceUsage().maxRSS / 1024
  yield* print(`peak memory of the process: ${memory.toFixed(0)} MiB`)
  const json = { configurations: explored.json, rules: rules.json, peakMiB: memory }
  const table = broken.length > 0 ? rules : explored
  yield* Measure.finish({ table, bounds: rules.bounds, json }, options.json, print)
})

const statesFlag = Flag.Int("states").pipe(
  Flag.withMetavar("N"),
  Flag.withDescription("End each exploration at so many states; the table says so"),
  Flag.filterMap(
    (value) => (value >= 1 ? Option.some(value) : Option.none()),
    (value) => `expected a whole number of at least 1, got ${value}`
  ),
  Flag.optional
)

const nameFlag = (name: string, metavar: string, names: ReadonlyArray<string>, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(description),
    Flag.filterMap(
      (value) => (names.includes(value) ? Option.some(value) : Option.none()),
      (value) => `there is no ${value}. There are: ${names.join(", ")}`
    ),
    Flag.optional
  )

const flags = {
  config: nameFlag(
    "config",
    "NAME",
    configurations.map(({ name }) => name),
    "This configuration, the protocol intact"
  ),
  rule: nameFlag(
    "rule",
    "RULE",
    cases.map(({ guard }) => guard),
    "The protocol without this rule or guard: the shortest counterexample, told"
  ),
  trace: Flag.Boolean("trace").pipe(
    Flag.withDescription("Tell the counterexample of every rule"),
    Flag.withDefault(false)
  ),
  states: statesFlag,
  json: Measure.jsonFlag
}

Command.make("model", flags, ({ config, json, rule, states, trace }) => {
  const isAll = Option.isNone(config) && Option.isNone(rule)
  const chosen = configurations.filter(({ name }) => isAll || Option.contains(config, name))
  const broken = cases.filter(({ guard }) => isAll || Option.contains(rule, guard))
  return reportFailure(
    run(chosen, broken, {
      statesMax: Option.getOrUndefined(states),
      showsTrace: trace || Option.isSome(rule),
      json: Option.getOrUndefined(json)
    })
  )
}).pipe(
  Command.withDescription("The failover protocol as a small transition system, explored exhaustively"),
  Command.run({ version }),
  withUsageExitCode,
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
