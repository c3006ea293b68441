/**
 * Starts the system's tools (`ip`, `socat`, `grep`) and says why one failed in the words of the NodeNetwork port.
 * Plain `node:child_process`: the operator is bounded in memory, and the spawner of the platform package with its
 * streams, file system and path services is not needed for "run, read, done".
 */
import { execFile, spawn, type ChildProcess } from "node:child_process"
import { Effect } from "effect"
import { InterfaceMissing, NotPermitted, ToolFailed, type NodeNetworkError } from "../../ports/NodeNetwork.ts"

export type Reason = NodeNetworkError["reason"]

export interface Toolbox {
  /** Goes before every command, such as `nsenter --net=/run/netns/x`; empty in production. */
  readonly commandPrefix: ReadonlyArray<string>
  readonly ip: string
  readonly socat: string
  readonly nft: string
  readonly conntrack: string
  readonly grep: string
  readonly tc: string
}

/** As PATH finds them. */
export const defaultToolbox: Toolbox = {
  commandPrefix: [],
  ip: "ip",
  socat: "socat",
  nft: "nft",
  conntrack: "conntrack",
  grep: "grep",
  tc: "tc"
}

/** A healthy `ip` takes 3-6 ms; with this much the kernel or the machine is stuck, and the caller must know. */
export const runMaxMillis = 5_000
/** `ip -d -j addr` prints about 300 bytes an address. */
const outputMaxBytes = 16 * 1024 * 1024

export interface RunOptions {
  /** The interface that the arguments name: so that "no such device" is told as that. */
  readonly interfaceName?: string
  /** What it printed counts even with an exit code other than 0. */
  readonly isPartialEnough?: boolean
}

/** Runs to its end and gives what it printed; an exit code other than 0 is a failure, told by its stderr. */
export const run = (
  toolbox: Toolbox,
  tool: string,
  args: ReadonlyArray<string>,
  { interfaceName = "", isPartialEnough = false }: RunOptions = {}
): Effect.Effect<string, Reason> =>
  Effect.callback<string, Reason>((resume) => {
    const [file, argv] = commandLine(toolbox, tool, args)
    const child = execFile(
      file,
      argv,
      { env: environment, timeout: runMaxMillis, killSignal: "SIGKILL", maxBuffer: outputMaxBytes },
      (error, stdout, stderr) => {
        const isEnough = isPartialEnough && stdout !== "" && typeof error?.code === "number"
        if (error === null || isEnough) resume(Effect.succeed(stdout))
        else if (typeof error.code === "string") resume(Effect.fail(notStarted(tool, error)))
        else {
          const how = error.killed === true ? `did not finish within ${runMaxMillis} ms` : `exit code ${error.code}`
          resume(Effect.fail(reasonOf(tool, stderr, how, interfaceName)))
        }
      }
    )
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** A child that stays; the caller owns its life. `ownGroup`: a signal to the group reaches what it runs as well. */
export const start = (
  toolbox: Toolbox,
  tool: string,
  args: ReadonlyArray<string>,
  stdio: readonly ["pipe" | "ignore", "pipe" | "ignore", "pipe"],
  { ownGroup = false }: { readonly ownGroup?: boolean } = {}
): ChildProcess => {
  const [file, argv] = commandLine(toolbox, tool, args)
  return spawn(file, argv, { env: environment, stdio: [...stdio], detached: ownGroup })
}

/** What `stderr` means. `how` is said when it is empty. */
export const reasonOf = (tool: string, stderr: string, how: string, interfaceName: string): Reason => {
  const said = stderr.trim()
  if (/not permitted|permission denied|get CAP_NET_/i.test(said))
    return new NotPermitted({ message: `${tool}: ${said}` })
  if (interfaceName !== "" && /cannot find device|does not exist|unknown interface|no such device/i.test(said)) {
    return new InterfaceMissing({ interfaceName })
  }
  return new ToolFailed({ tool, message: said === "" ? how : `${said} (${how})` })
}

export const notStarted = (tool: string, error: Error): Reason =>
  new ToolFailed({ tool, message: `did not start: ${error.message}` })

/** Errors are told apart by their text, so it must not be translated; PATH finds the tools. */
const environment = { PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" }

const commandLine = (toolbox: Toolbox, tool: string, args: ReadonlyArray<string>): [string, Array<string>] => {
  const [file = tool, ...rest] = [...toolbox.commandPrefix, tool, ...args]
  return [file, rest]
}
