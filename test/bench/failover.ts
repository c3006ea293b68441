/**
 * How long an address is away on the real cluster, case by case: the tests of `test/failover` again and again, and the figures
 * that they print. Each asks an IPv4 and an IPv6 address 200 times a second from a client on the same segment, and asserts from
 * a capture at every node's port that no two nodes held either at a time. A round that fails is noted, and counted as such.
 */
import { spawn } from "node:child_process"
import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Option, Schema } from "effect"
import type { Measurement } from "../../src/cli/Measure.ts"

/** What the lab of a case needs to be started with. */
type LabSettings = Readonly<Partial<Record<"LAB_PROXY_MODE" | "LAB_PROXY_MIN_SYNC", string>>>

const usualLab = { LAB_PROXY_MODE: "nftables", LAB_PROXY_MIN_SYNC: "" }
const iptables = { LAB_PROXY_MODE: "iptables" }
/** At each transaction kube-proxy's nft reads all that thousands of Services have made, on three nodes that share two cores. */
const seldomSyncing = { LAB_PROXY_MIN_SYNC: "150" }

interface Case {
  readonly name: string
  readonly file: string
  /** The name at the beginning of the test's title, where it is another. */
  readonly test?: string
  readonly boundMillis?: number
  readonly mustLoseNothing?: true
  /** A further one of the test's. */
  readonly figure?: { readonly name: string; readonly boundMillis: number }
  /** Why it is run only when it is asked for. */
  readonly onRequest?: string
  readonly lab?: LabSettings
}

const dead = (name: string, boundMillis: number, more: Partial<Case> = {}): Case => ({
  name,
  file: "dead",
  boundMillis,
  ...more
})
const silent = (name: string): Case => ({ name, file: "silent" })
const peace = (name: string, boundMillis: number, more: Partial<Case> = {}): Case => ({
  name,
  file: "peace",
  boundMillis,
  ...more
})
const alive = (name: string): Case => ({ name, file: "alive", mustLoseNothing: true })

export const cases: ReadonlyArray<Case> = [
  alive("nothing"),
  dead("power-loss", 7_000),
  dead("power-loss-of-leader-too", 7_000),
  peace("planned-move", 100),
  peace("drain", 100),
  peace("reboot", 200),
  alive("agent-killed"),
  alive("operators-replaced"),
  alive("controllers-replaced"),
  silent("all-killed"),
  silent("cut-from-api"),
  silent("agent-stopped"),
  silent("deaf"),
  silent("mute"),
  silent("cut-from-all"),
  silent("cut-from-clients"),
  { name: "udp-there-and-back", file: "peace" },
  { name: "power-loss-http", file: "dead" },
  {
    name: "power-loss-hundred",
    file: "dead",
    boundMillis: 7_000,
    figure: { name: "spreadMillis", boundMillis: 1_000 }
  },
  alive("no-api-server"),
  alive("one-api-server-of-two"),
  { ...alive("burst"), lab: seldomSyncing, onRequest: "it takes as long as all others together" },
  dead("power-loss-fast", 3_500),
  dead("power-loss-fast-of-leader-too", 3_500),
  dead("power-loss-two-operators", 7_000),
  dead("power-loss-iptables", 7_000, { test: "power-loss", lab: iptables }),
  peace("planned-move-iptables", 100, { test: "planned-move", lab: iptables })
]

const Family = Schema.Struct({ lost: Schema.Finite, outageMillis: Schema.Finite })
/** What a test prints. */
const Figures = Schema.Struct({
  families: Schema.Tuple([Family, Family]),
  overlapMillis: Schema.Finite,
  brokenConnections: Schema.optionalKey(Schema.Finite)
})
const Round = Schema.Struct({
  name: Schema.String,
  figures: Schema.optionalKey(Figures),
  /** `Case.figure` of this round. */
  figure: Schema.optionalKey(Schema.Finite),
  /** All that the test printed, for reading. */
  printed: Schema.optionalKey(Schema.Unknown),
  failed: Schema.optionalKey(Schema.String)
})
type Round = typeof Round.Type
const decodeRound = Schema.decodeUnknownSync(Schema.fromJsonString(Round))
const decodeFigures = Schema.decodeUnknownOption(Figures)

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

/** What it printed, and its exit code. */
const output = (program: string, args: ReadonlyArray<string>, more: { readonly [name: string]: string } = {}) =>
  Effect.callback<{ readonly text: string; readonly code: number | null }, FailoverNotMeasured>((resume) => {
    let text = ""
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, ...more },
      stdio: ["ignore", "pipe", "pipe"]
    })
    for (const pipe of [child.stdout, child.stderr])
      pipe.setEncoding("utf8").on("data", (part: string) => (text += part))
    child.on("error", ({ message }) =>
      resume(Effect.fail(new FailoverNotMeasured({ message: `${program}: ${message}` })))
    )
    child.on("close", (code) => resume(Effect.succeed({ text, code })))
    return Effect.sync(() => child.kill())
  })

const inLab = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  more: { readonly [name: string]: string } = {}
) {
  const { code, text } = yield* output(lab, args, more)
  if (code === 0) return text
  const message = `cluster.sh ${args.join(" ")} ended with ${code}:\n${text.slice(-TAIL_CHARACTERS)}`
  return yield* new FailoverNotMeasured({ message })
})

const TAIL_CHARACTERS = 3_000

const figureIn = (printed: unknown, name: string | undefined): { readonly figure?: number } => {
  const value: unknown = name === undefined ? undefined : Object(printed)[name]
  return typeof value === "number" ? { figure: value } : {}
}

const runOnce = Effect.fnUntraced(function* ({ figure, file, name, test = name }: Case) {
  const vitest = ["node", "node_modules/vitest/vitest.mjs", "run", "--config", "test/vitest.config.ts", "--root", "."]
  const chosen = ["--project", "failover", "--no-color", file, "-t", ` ${test}: `]
  const { code, text } = yield* output(lab, ["run", ...vitest, ...chosen])
  const line = /^figure: bench (\{.*\})$/m.exec(text)?.[1]
  const printed: unknown = line === undefined ? undefined : JSON.parse(line)
  const figures = Option.getOrUndefined(decodeFigures(printed))
  const failed = code === 0 && figures !== undefined ? {} : { failed: text.slice(-TAIL_CHARACTERS) }
  const round: Round = {
    name,
    ...(figures === undefined ? {} : { figures, printed }),
    ...figureIn(printed, figure?.name),
    ...failed
  }
  return round
})

const median = (numbers: ReadonlyArray<number>): number => {
  const sorted = numbers.toSorted((left, right) => left - right)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
}

const summaryOf = ({ boundMillis, figure, mustLoseNothing, name }: Case, rounds: ReadonlyArray<Round>) => {
  const measured = rounds.flatMap(({ figures }) => (figures === undefined ? [] : [figures]))
  const outages = [0, 1].map((index) => measured.map(({ families }) => families[index]?.outageMillis ?? Number.NaN))
  const most = Math.max(...outages.flat())
  const lostCount = measured.flatMap(({ families }) => families).reduce((sum, { lost }) => sum + lost, 0)
  const overlapMillis = Math.max(...measured.map((each) => each.overlapMillis))
  const failedCount = rounds.filter(({ failed }) => failed !== undefined).length
  const figures = rounds.flatMap((each) => (each.figure === undefined ? [] : [each.figure]))
  const isWithin = (boundMillis === undefined || most <= boundMillis) && !(mustLoseNothing && lostCount > 0)
  const isFigureWithin = figure === undefined || Math.max(...figures) <= figure.boundMillis
  const held = isWithin && isFigureWithin && failedCount === 0 && overlapMillis === 0
  const bound = [
    ...(mustLoseNothing ? ["0 lost"] : []),
    ...(boundMillis === undefined ? [] : [`${boundMillis} ms`]),
    ...(figure === undefined ? [] : [`${figure.name} ${Math.max(...figures).toFixed(0)} of ${figure.boundMillis}`])
  ].join(", ")
  const families = outages.map((each) => ({ middle: median(each), most: Math.max(...each) }))
  return { name, rounds: rounds.length, families, most, lostCount, overlapMillis, failedCount, bound, held }
}

const measurementOf = (all: ReadonlyArray<Round>): Measurement => {
  const rows = cases
    .map((each) => ({ each, rounds: all.filter(({ name }) => name === each.name) }))
    .filter(({ rounds }) => rounds.length > 0)
    .map(({ each, rounds }) => summaryOf(each, rounds))
  return {
    table: {
      columns: ["case", "rounds", "IPv4, median", "max", "IPv6, median", "max", "lost", "overlap", "failed", "bound"],
      rows: rows.map(({ bound, failedCount, families, lostCount, name, overlapMillis, rounds }) => [
        name,
        String(rounds),
        ...families.flatMap(({ middle, most }) => [`${middle} ms`, `${most} ms`]),
        String(lostCount),
        `${overlapMillis.toFixed(1)} ms`,
        String(failedCount),
        bound
      ])
    },
    bounds: rows.map(({ bound, failedCount, held, lostCount, most, name, overlapMillis }) => ({
      says: `${name}: ${most} ms, ${lostCount} lost, overlap ${overlapMillis} ms, ${failedCount} failed; bound ${bound}`,
      held
    })),
    json: Object.fromEntries(rows.map(({ name, ...row }) => [name, row]))
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
const withLab = <A, E, R>(
  settings: typeof usualLab,
  measuring: Effect.Effect<A, E, R>
): Effect.Effect<A | void, E | FailoverNotMeasured, R> =>
  process.env["LAB_NAME"] === undefined
    ? Effect.acquireUseRelease(
        inLab(["up"], settings),
        () => measuring,
        () => Effect.ignore(inLab(["down"]))
      )
    : Effect.flatMap(inLab(["env"]), (text) => {
        const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
        const lacking = lines.filter((line) => !text.split("\n").includes(line))
        return lacking.length === 0
          ? measuring
          : Effect.logWarning(`not measured: cases for a lab that was started with ${lacking.join(" ")}`)
      })

const isSame = (one: typeof usualLab, other: typeof usualLab): boolean =>
  one.LAB_PROXY_MODE === other.LAB_PROXY_MODE && one.LAB_PROXY_MIN_SYNC === other.LAB_PROXY_MIN_SYNC

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
  const one = Effect.fnUntraced(function* (each: Case, index: number, all: ReadonlyArray<Case>) {
    yield* progress(`${each.name}, ${index + 1} of ${all.length}`)
    const round = yield* runOnce(each)
    rounds.push(round)
    appendFileSync(log, `${JSON.stringify(round)}\n`)
  })
  const inOneLab = (settings: typeof usualLab) => {
    const those = due.filter(({ lab }) => isSame({ ...usualLab, ...lab }, settings))
    return those.length === 0
      ? Effect.void
      : withLab(
          settings,
          Effect.forEach(those, (each, index) => one(each, index, those), { discard: true })
        )
  }
  const labs = [{}, iptables, seldomSyncing].map((lab) => ({ ...usualLab, ...lab }))
  return Effect.forEach(labs, inOneLab, { discard: true }).pipe(Effect.map(() => measurementOf(rounds)))
}
