/** `npm run hetzner-fake`: a project of Hetzner Cloud on this machine, for the official clients, until it is ended. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { reportFailure, withUsageExitCode } from "../../src/cli/ErrorReport.ts"
import { version } from "../../src/cli/Version.ts"
import type { Console } from "../../src/memory/hetzner/Console.ts"
import { serve } from "./Server.ts"

const between = (name: string, least: number, most: number, otherwise: number, description: string) =>
  Flag.Int(name).pipe(
    Flag.withMetavar("N"),
    Flag.withDescription(description),
    Flag.withDefault(otherwise),
    Flag.filterMap(
      (value) => (value >= least && value <= most ? Option.some(value) : Option.none()),
      (value) => `expected a whole number between ${least} and ${most}, got ${value}`
    )
  )

const textFlag = (name: string, otherwise: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withDefault(otherwise))

const isServerName = (name: string): boolean => /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/u.test(name)

const namesFlag = Flag.String("server-names").pipe(
  Flag.withMetavar("NAME,NAME,…"),
  Flag.withDescription("What the servers are called, instead of node-1 to node-N"),
  Flag.map((text) => text.split(",")),
  Flag.filterMap(
    (names) => (names.every(isServerName) && new Set(names).size === names.length ? Option.some(names) : Option.none()),
    (names) => `expected different RFC 1123 names, such as node-1,node-2; got "${names.join(",")}"`
  ),
  Flag.optional
)

const flags = {
  port: between("port", 0, 65_535, 8080, "Port to listen on; 0 takes a free one"),
  listen: textFlag("listen", "127.0.0.1", "Address to listen on"),
  token: textFlag("token", "fake-token", "A token that may write"),
  readonlyToken: textFlag("readonly-token", "fake-readonly", "A token that may only read"),
  servers: between("servers", 0, 250, 3, "How many servers there are"),
  serverNames: namesFlag,
  floatingIpsMax: between("floating-ips-max", 0, 60_000, 10, "Floating IPs that the project may have"),
  actionMillis: between("action-millis", 0, 3_600_000, 1000, "How long an action runs"),
  perPage: Flag.Literals("per-page", ["refuse", "clamp"]).pipe(
    Flag.withDescription("What more than 50 items a page do"),
    Flag.withDefault("refuse")
  ),
  moves: Flag.Literals("moves", ["direct", "refused"]).pipe(
    Flag.withDescription("What an assign does to what is assigned elsewhere"),
    Flag.withDefault("direct")
  )
}

/** All in one location and with both families; the first has a label, to have one to select by. */
const seed = (console: Console, names: ReadonlyArray<string>): void => {
  for (const [index, name] of names.entries()) {
    console.addServer({ name, labels: index === 0 ? { role: "edge" } : {} })
  }
}

Command.make("hetzner-fake", flags, ({ actionMillis, readonlyToken, serverNames, servers, token, ...settings }) =>
  Effect.gen(function* () {
    const { baseUrl, project } = yield* serve({
      ...settings,
      actionTime: { millis: actionMillis },
      tokens: [
        { secret: token, name: "readwrite", mayWrite: true },
        { secret: readonlyToken, name: "readonly", mayWrite: false }
      ]
    })
    const numbered = Array.from({ length: servers }, (_, index) => `node-${index + 1}`)
    seed(
      project.console,
      Option.getOrElse(serverNames, () => numbered)
    )
    yield* Effect.sync(() => process.stdout.write(`${baseUrl}\n`))
    return yield* Effect.never
  }).pipe(Effect.scoped, reportFailure)
).pipe(
  Command.withDescription(
    "A project of Hetzner Cloud on this machine; prints its base URL, then serves until it is ended"
  ),
  Command.run({ version }),
  withUsageExitCode,
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
