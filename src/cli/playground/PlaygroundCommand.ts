/** `plenuslb playground`: reads the examples, prints the story, and ends with 0 only when all went as told. */
import { Data, Effect, FileSystem, Logger, Option, Path, References, Stdio, Terminal } from "effect"
import { Command, Flag } from "effect/cli"
import { reportFailure } from "../ErrorReport.ts"
import * as Measure from "../Measure.ts"
import type { Manifest } from "./Manifests.ts"

export class NoExamples extends Data.TaggedError("NoExamples")<{ readonly message: string }> {}

const flags = {
  json: Measure.jsonFlag,
  verbose: Flag.Boolean("verbose").pipe(
    Flag.withDescription("Print also what the controllers and operators log, on standard error"),
    Flag.withDefault(false)
  ),
  profile: Flag.Literals("profile", ["default", "fast", "relaxed"]).pipe(
    Flag.withDescription("How fast a dead node's addresses move: FAILOVER_PROFILE of a real cluster"),
    Flag.withDefault("default")
  ),
  examples: Flag.String("examples").pipe(
    Flag.withMetavar("FOLDER"),
    Flag.withDescription("Where the manifests of the story are"),
    Flag.withDefault("examples")
  )
}

const readExamples = Effect.fnUntraced(function* (folder: string) {
  const files = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const names = yield* files.readDirectory(folder)
  const yaml = names.filter((name) => name.endsWith(".yaml")).toSorted()
  return yield* Effect.forEach(yaml, (file) =>
    Effect.map(files.readFileString(paths.join(folder, file)), (text): Manifest => ({ file, text }))
  )
})

const examplesIn = (folder: string) =>
  readExamples(folder).pipe(
    Effect.mapError(
      () =>
        new NoExamples({
          message: `The folder ${folder} cannot be read. Run this in a clone of the repository, or name its examples with --examples FOLDER.`
        })
    )
  )

const nextSteps = [
  "",
  "Try next:",
  "  npm start -- --profile fast        the same with a takeover within 3.5 s",
  "  npm start -- --verbose             with the log of the controllers and operators",
  "  npm start -- --json result.json    the figures as JSON",
  "  npm run cluster -- up              a real Kubernetes with three nodes on this machine (Linux, root)",
  "  npm run bench -- allocate          how many allocations a second the controller makes",
  "  docs/api.md                        every field of the pools, and every annotation"
]

/** Loaded only when it is asked for: the API server in memory brings a CEL library that no other command needs. */
const load = Effect.promise(() => import("./Playground.ts"))

/** Silent but for the sentence that ends the program. */
const plainSentences = Logger.withConsoleError(
  Logger.make(({ message }) => (Array.isArray(message) ? message.map(String).join(" ") : String(message)))
)

const withLogging =
  (verbose: boolean) =>
  <A, E, R>(program: Effect.Effect<A, E, R>) =>
    program.pipe(
      Effect.provideService(References.MinimumLogLevel, verbose ? "Info" : "Fatal"),
      Effect.provideService(
        Logger.CurrentLoggers,
        new Set([verbose ? Logger.withConsoleError(Logger.formatLogFmt) : plainSentences])
      )
    )

export const command = Command.make("playground", flags, ({ examples, json, profile, verbose }) =>
  Effect.gen(function* () {
    const stdio = yield* Stdio.Stdio
    const terminal = yield* Terminal.Terminal
    const { run } = yield* load
    const write = (text: string) => Effect.orDie(terminal.display(text))
    const print = (line: string) => write(`${line}\n`)
    const manifests = yield* examplesIn(examples)
    const measurement = yield* run(
      { profile, examples: manifests },
      { write, isTerminal: yield* stdio.stdoutIsTerminal }
    )
    yield* Measure.finish(measurement, Option.getOrUndefined(json), print)
    yield* Effect.forEach(nextSteps, print)
  }).pipe(reportFailure, withLogging(verbose))
).pipe(Command.withDescription("Watch the whole system at work: no root, no cluster, nothing outside this process"))
