/** `npm run bench -- NAME`: measurements, each beside its reference of the same run. No figure of them is asserted in a test. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer, Logger, Option, Stdio } from "effect"
import { Command, Flag } from "effect/cli"
import { reportFailure, withUsageExitCode } from "../../src/cli/ErrorReport.ts"
import * as Measure from "../../src/cli/Measure.ts"
import { version } from "../../src/cli/Version.ts"
import { layerLive, Loopback, skipReason } from "../conformance/loopback.ts"
import * as Allocate from "./allocate.ts"
import * as Cloud from "./cloud.ts"
import * as Failover from "./failover.ts"
import * as Large from "./large.ts"
import * as Memory from "./memory.ts"
import * as Simulation from "./simulation.ts"

const print = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))

/** On a terminal only, and gone when the table comes. */
const progress = (text: string) =>
  Effect.flatMap(Stdio.Stdio, (stdio) =>
    Effect.map(stdio.stdoutIsTerminal, (isTerminal) => {
      if (isTerminal) process.stdout.write(`\r\u001b[2K${text}`)
    })
  )

const numbers = (text: string): ReadonlyArray<number> | undefined => {
  const found = text.split(",").map(Number)
  return found.every((each) => Number.isInteger(each) && each >= 1 && each <= Allocate.SERVICES_MAX) ? found : undefined
}

const servicesFlag = Flag.String("services").pipe(
  Flag.withMetavar("N,N,…"),
  Flag.withDescription("How many Services, one run for each number"),
  Flag.withDefault("1000,5000"),
  Flag.filterMap(
    (text) => Option.fromNullishOr(numbers(text)),
    (text) => `expected numbers between 1 and ${Allocate.SERVICES_MAX}, such as 1000,5000; got "${text}"`
  )
)

const allocate = Command.make("allocate", { json: Measure.jsonFlag, services: servicesFlag }, ({ json, services }) =>
  Effect.gen(function* () {
    const measurement = yield* Allocate.run(services, progress).pipe(
      Effect.provideService(Logger.CurrentLoggers, new Set<Logger.Logger<unknown, unknown>>())
    )
    yield* progress("")
    yield* Measure.finish(measurement, Option.getOrUndefined(json), print)
  }).pipe(reportFailure)
).pipe(Command.withDescription("Allocations a second of the controller on the API in memory, beside plain creates"))

const countFlag = Flag.Int("services").pipe(
  Flag.withMetavar("N"),
  Flag.withDescription("How many Services"),
  Flag.withDefault(1000)
)

const memory = Command.make("memory", { json: Measure.jsonFlag, services: countFlag }, ({ json, services }) =>
  Effect.gen(function* () {
    const reason = skipReason()
    if (reason !== undefined) return yield* new Measure.ResultNotWritten({ message: `bench memory is ${reason}` })
    const live = Layer.provideMerge(layerLive, Loopback.layer)
    const measurement = yield* Effect.scoped(Memory.run(services, "dist/controller.cjs", progress)).pipe(
      Effect.provide(live)
    )
    yield* progress("")
    yield* Measure.finish(measurement, Option.getOrUndefined(json), print)
  }).pipe(reportFailure)
).pipe(Command.withDescription("Memory of the controller's bundle on a real API server; run `npm run build` before"))

const simulationFlags = {
  json: Measure.jsonFlag,
  large: Flag.Boolean("large").pipe(
    Flag.withDescription("One run of a large cluster without faults, and the loss of one of its nodes"),
    Flag.withDefault(false)
  ),
  nodes: Flag.Int("nodes").pipe(Flag.withDescription("Nodes of --large"), Flag.withDefault(1_000)),
  services: Flag.Int("services").pipe(Flag.withDescription("Services of --large"), Flag.withDefault(10_000))
}

const simulation = Command.make("simulation", simulationFlags, ({ json, large, nodes, services }) =>
  Effect.gen(function* () {
    const isTerminal = process.stdout.isTTY
    const tell = (text: string) => void (isTerminal && process.stdout.write(`\r\u001b[2K${text}`))
    const measurement = large
      ? Large.measure({ nodesCount: nodes, servicesCount: services }, tell)
      : Simulation.measure(tell)
    yield* progress("")
    yield* Measure.finish(measurement, Option.getOrUndefined(json), print)
  }).pipe(reportFailure)
).pipe(Command.withDescription("Simulated seconds in a second of CPU, and where the time goes"))

const cloud = Command.make("cloud", { json: Measure.jsonFlag }, ({ json }) =>
  Effect.suspend(() => Measure.finish(Cloud.measure(), Option.getOrUndefined(json), print)).pipe(reportFailure)
).pipe(Command.withDescription("Requests of each operation at the cloud provider, and a failover of twenty addresses"))

const caseNames = Failover.cases.map(({ name }) => name)

const usualCases = Failover.cases.filter(({ onRequest }) => onRequest === undefined).map(({ name }) => name)

const failoverFlags = {
  json: Measure.jsonFlag,
  case: Flag.String("case").pipe(
    Flag.withMetavar("NAME,NAME,…"),
    Flag.withDescription(`These cases and no others: ${caseNames.join(", ")}`),
    Flag.withDefault(usualCases.join(",")),
    Flag.map((text) => text.split(",")),
    Flag.filterMap(
      (names) => (names.every((name) => caseNames.includes(name)) ? Option.some(names) : Option.none()),
      (names) =>
        `no such case: ${names.filter((name) => !caseNames.includes(name)).join(", ")}. There are: ${caseNames.join(", ")}`
    )
  ),
  rounds: Flag.Int("rounds").pipe(Flag.withDescription("How often each is measured"), Flag.withDefault(5)),
  log: Flag.String("log").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("A line for each round; rounds that stand in it are not run again"),
    Flag.withDefault("failover.log")
  )
}

const failover = Command.make("failover", failoverFlags, ({ case: names, json, log, rounds }) =>
  Effect.gen(function* () {
    const measurement = yield* Failover.measure({ names, log, roundsCount: rounds }, progress)
    yield* progress("")
    yield* Measure.finish(measurement, Option.getOrUndefined(json), print)
  }).pipe(reportFailure)
).pipe(
  Command.withDescription("How long an address is away on a real cluster on this machine (root, Go), case by case")
)

Command.make("bench").pipe(
  Command.withDescription("Measurements, each beside its reference of the same run"),
  Command.withSubcommands([allocate, cloud, failover, memory, simulation]),
  Command.run({ version }),
  withUsageExitCode,
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
