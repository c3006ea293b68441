/**
 * How long an address is away on the real cluster, case by case, at 200 probes a second from a client on the same segment: the
 * tests of `test/e2e` again and again, and the figures that they print. They assert as they go that no two nodes ever answer
 * at a time, so that a round that is counted had one holder.
 */
import { spawn } from "node:child_process"
import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Schema } from "effect"
import type { Measurement } from "../../src/cli/Measure.ts"

interface Case {
  readonly name: string
  readonly file: string
  /** Part of the test's title. */
  readonly test: string
  /** In a line "figure: …": the outage in milliseconds. */
  readonly outage: RegExp
  /** The probes that were not answered; absent: it is the outage that counts. */
  readonly lost?: RegExp
  readonly boundMillis?: number
}

const ofHolder = (name: string, test: string): Case => ({
  name,
  file: "one-holder",
  test,
  outage: new RegExp(`figure: ${name}: outage (\\d+) ms`)
})

const powerLoss = /figure: outage (\d+) ms/

export const cases: ReadonlyArray<Case> = [
  {
    name: "power-loss",
    file: "node-failure",
    test: "moves the address before Kubernetes notices",
    outage: powerLoss,
    boundMillis: 7_000
  },
  {
    name: "power-loss-of-leader-too",
    file: "node-failure",
    test: "does so too when the leading controller dies",
    outage: powerLoss,
    boundMillis: 7_000
  },
  ofHolder("all-killed", "all software of the node is killed"),
  ofHolder("cut-from-api", "the node is cut off from the API server"),
  ofHolder("agent-stopped", "the operator is stopped"),
  {
    name: "shut-down-in-peace",
    file: "one-holder",
    test: "is shut down in peace",
    outage: /figure: shut down in peace: outage (\d+) ms/,
    boundMillis: 200
  },
  {
    name: "planned-move",
    file: "placement",
    test: "hands over when it is excluded",
    outage: /figure: longest gap of the handover (\d+) ms/,
    boundMillis: 100
  },
  {
    name: "agent-killed",
    file: "healing",
    test: "stays on the node through kill -9",
    outage: /probes unanswered, longest gap (\d+) ms/,
    lost: /figure: (\d+) of \d+ probes unanswered/
  },
  {
    name: "operators-replaced",
    file: "one-holder",
    test: "while all operators are replaced",
    outage: /operators replaced: .* longest gap (\d+) ms/,
    lost: /operators replaced: (\d+) of \d+ probes unanswered/
  },
  {
    name: "no-api-server",
    file: "one-holder",
    test: "while the API server is away",
    outage: /no API server: .* longest gap (\d+) ms/,
    lost: /no API server: (\d+) of \d+ probes unanswered/
  }
]

const Round = Schema.Struct({ name: Schema.String, outageMillis: Schema.Finite, lostCount: Schema.Finite })
type Round = typeof Round.Type
const decodeRound = Schema.decodeUnknownSync(Schema.fromJsonString(Round))

export interface Options {
  readonly names: ReadonlyArray<string>
  readonly roundsCount: number
  /** Rounds that stand in it already are not run again. */
  readonly log: string
}

export class FailoverNotMeasured extends Schema.TaggedError<FailoverNotMeasured>()("FailoverNotMeasured", {
  message: Schema.String
}) {}

const root = join(import.meta.dirname, "../..")
const lab = join(root, "test/lab/cluster.sh")

/** What it printed; its exit code must be 0. */
const output = (program: string, args: ReadonlyArray<string>): Effect.Effect<string, FailoverNotMeasured> =>
  Effect.callback((resume) => {
    let text = ""
    const child = spawn(program, args, { cwd: root, env: process.env, stdio: ["ignore", "pipe", "pipe"] })
    for (const pipe of [child.stdout, child.stderr])
      pipe.setEncoding("utf8").on("data", (part: string) => (text += part))
    child.on("error", ({ message }) =>
      resume(Effect.fail(new FailoverNotMeasured({ message: `${program}: ${message}` })))
    )
    child.on("close", (code) => {
      const failed = new FailoverNotMeasured({
        message: `${args.join(" ")} ended with ${code}:\n${text.slice(-3_000)}`
      })
      resume(code === 0 ? Effect.succeed(text) : Effect.fail(failed))
    })
    return Effect.sync(() => child.kill())
  })

const runOnce = Effect.fnUntraced(function* ({ file, lost, name, outage, test }: Case) {
  const vitest = ["node", "node_modules/vitest/vitest.mjs", "run", "--config", "test/vitest.config.ts", "--root", "."]
  const text = yield* output(lab, ["run", ...vitest, "--project", "e2e", "--no-color", file, "-t", test])
  const found = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? Number.NaN)
  const round: Round = { name, outageMillis: found(outage), lostCount: lost === undefined ? 0 : found(lost) }
  if (Number.isNaN(round.outageMillis + round.lostCount)) {
    return yield* new FailoverNotMeasured({ message: `${name} printed no figure:\n${text.slice(-3_000)}` })
  }
  return round
})

const median = (numbers: ReadonlyArray<number>): number => {
  const sorted = numbers.toSorted((left, right) => left - right)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
}

const summaryOf = ({ boundMillis, lost, name }: Case, rounds: ReadonlyArray<Round>) => {
  const outages = rounds.map(({ outageMillis }) => outageMillis)
  const most = Math.max(...outages)
  const lostCount = rounds.reduce((sum, round) => sum + round.lostCount, 0)
  const held = (boundMillis === undefined || most <= boundMillis) && lostCount === 0
  const bound = lost === undefined ? (boundMillis === undefined ? "" : `${boundMillis} ms`) : "0 lost"
  return { name, rounds: rounds.length, middle: median(outages), most, lostCount, bound, held }
}

const measurementOf = (all: ReadonlyArray<Round>): Measurement => {
  const rows = cases
    .map((each) => ({ each, rounds: all.filter(({ name }) => name === each.name) }))
    .filter(({ rounds }) => rounds.length > 0)
    .map(({ each, rounds }) => summaryOf(each, rounds))
  return {
    table: {
      columns: ["case", "rounds", "outage, median", "max", "lost", "bound"],
      rows: rows.map((each) => [
        each.name,
        String(each.rounds),
        `${each.middle} ms`,
        `${each.most} ms`,
        String(each.lostCount),
        each.bound
      ])
    },
    bounds: rows
      .filter(({ bound }) => bound !== "")
      .map(({ bound, held, lostCount, most, name }) => ({
        says: `${name}: ${most} ms, ${lostCount} lost; bound ${bound}`,
        held
      })),
    json: Object.fromEntries(
      rows.map(({ lostCount, middle, most, name, rounds }) => [
        name,
        { roundsCount: rounds, medianMillis: middle, maxMillis: most, lostCount }
      ])
    )
  }
}

const readLog = (log: string): ReadonlyArray<Round> =>
  existsSync(log)
    ? readFileSync(log, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => decodeRound(line))
    : []

/** With `LAB_NAME` set the lab of that name is used, and stays; else one is started, and ended. */
const withLab = <A, E, R>(measuring: Effect.Effect<A, E, R>): Effect.Effect<A, E | FailoverNotMeasured, R> =>
  process.env["LAB_NAME"] === undefined
    ? Effect.acquireUseRelease(
        output(lab, ["up"]),
        () => measuring,
        () => Effect.ignore(output(lab, ["down"]))
      )
    : measuring

export const measure = <R>(
  { log, names, roundsCount }: Options,
  progress: (text: string) => Effect.Effect<void, never, R>
): Effect.Effect<Measurement, FailoverNotMeasured, R> => {
  const rounds = [...readLog(log)]
  const chosen = cases.filter(({ name }) => names.includes(name))
  const due = chosen.flatMap((each) => {
    const done = rounds.filter(({ name }) => name === each.name).length
    return Array.from({ length: Math.max(0, roundsCount - done) }, () => each)
  })
  const one = Effect.fnUntraced(function* (each: Case, index: number) {
    yield* progress(`${each.name}, ${index + 1} of ${due.length}`)
    const round = yield* runOnce(each)
    rounds.push(round)
    appendFileSync(log, `${JSON.stringify(round)}\n`)
  })
  const measuring = Effect.forEach(due, one, { discard: true })
  return Effect.map(due.length === 0 ? Effect.void : withLab(measuring), () => measurementOf(rounds))
}
