/**
 * Runs short reading tools by one shell that stays. For each process that Node itself starts its event loop stands still until
 * the kernel has made and loaded it: 5 ms on a busy machine (measured), during which no lease is renewed, and one look at a node
 * takes four of them. A shell is small, forks quickly, and waits in a process of its own.
 */
import type { ChildProcess } from "node:child_process"
import { Effect, type Scope, Semaphore } from "effect"
import { ToolFailed } from "../../ports/NodeNetwork.ts"
import { runMaxMillis, start, type Reason, type Toolbox } from "./Tool.ts"

export interface Command {
  readonly tool: string
  /** A `*` in them is for the shell to replace. */
  readonly args: ReadonlyArray<string>
  /** What it printed counts even with an exit code other than 0. */
  readonly isPartialEnough?: boolean
}

export interface ToolShell {
  /**
   * What each printed, one after the other. Undefined: one has failed, or the shell; it tells no reasons, and who wants to know
   * runs them himself. Fails when they do not end.
   */
  readonly ask: (commands: ReadonlyArray<Command>) => Effect.Effect<ReadonlyArray<string> | undefined, Reason>
}

export const make = (toolbox: Toolbox): Effect.Effect<ToolShell, never, Scope.Scope> =>
  Effect.gen(function* () {
    const lock = yield* Semaphore.make(1)
    let shell: Shell | undefined
    const end = () => {
      shell?.kill()
      shell = undefined
    }
    yield* Effect.addFinalizer(() => Effect.sync(end))
    const ask: ToolShell["ask"] = (commands) =>
      Effect.suspend(() => {
        if (shell?.isOver() === true) end()
        return (shell ??= startShell(toolbox)).ask(commands)
      }).pipe(
        Effect.timeoutOrElse({ duration: runMaxMillis, orElse: () => Effect.fail(hanging(commands)) }),
        // What it prints from now on would be taken for the answer to the next question.
        Effect.onExit((exit) => (exit._tag === "Failure" ? Effect.sync(end) : Effect.void))
      )
    return { ask: (commands) => lock.withPermit(ask(commands)) }
  })

const hanging = (commands: ReadonlyArray<Command>): Reason =>
  new ToolFailed({ tool: commands[0]?.tool ?? "sh", message: `did not finish within ${runMaxMillis} ms` })

interface Shell {
  /** One at a time. */
  readonly ask: (commands: ReadonlyArray<Command>) => Effect.Effect<ReadonlyArray<string> | undefined>
  readonly isOver: () => boolean
  /** With what it runs. */
  readonly kill: () => void
}

const ignore = (_answer: ReadonlyArray<string> | undefined): void => undefined

/** Between what is printed, since no tool prints it. */
const separator = "\0"

const startShell = (toolbox: Toolbox): Shell => {
  const child = start(toolbox, "sh", [], ["pipe", "pipe", "pipe"], { ownGroup: true })
  let printed = new Printed(0)
  let done = ignore
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    printed.add(text)
    if (printed.isWhole) done(printed.parts)
  })
  child.stderr?.resume()
  child.stdin?.on("error", () => undefined)
  child.on("error", () => done(undefined))
  // Not "close", which waits for whatever it has started and left.
  child.on("exit", () => done(undefined))
  const ask = (commands: ReadonlyArray<Command>) =>
    Effect.callback<ReadonlyArray<string> | undefined>((resume) => {
      if (isOver(child)) return resume(Effect.undefined)
      printed = new Printed(2 * commands.length)
      done = (answer) => resume(Effect.succeed(answer === undefined ? undefined : outputsOf(answer, commands)))
      child.stdin?.write(commands.map(lineOf).join(""))
    })
  return { ask, isOver: () => isOver(child), kill: () => killGroup(child) }
}

class Printed {
  private text = ""
  private separators = 0
  private readonly wanted: number

  constructor(separators: number) {
    this.wanted = separators
  }

  add(text: string): void {
    this.text += text
    this.separators += text.split(separator).length - 1
  }

  get isWhole(): boolean {
    return this.separators >= this.wanted
  }

  get parts(): ReadonlyArray<string> {
    return this.text.split(separator)
  }
}

const isOver = ({ exitCode, pid, signalCode }: ChildProcess): boolean =>
  pid === undefined || exitCode !== null || signalCode !== null

const killGroup = ({ pid }: ChildProcess): void => {
  if (pid === undefined) return
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // It has ended.
  }
}

/** A word that means itself to a shell, or files by `*`. */
const isPlain = (word: string): boolean => /^[\w.:/@%+=*-]+$/.test(word)

const wordOf = (word: string): string => (isPlain(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

const lineOf = ({ args, tool }: Command): string =>
  `${[tool, ...args].map(wordOf).join(" ")} </dev/null 2>/dev/null; printf '\\000%s\\000' $?\n`

/** Output and exit code by turns. */
const outputsOf = (
  parts: ReadonlyArray<string>,
  commands: ReadonlyArray<Command>
): ReadonlyArray<string> | undefined => {
  const outputs = commands.flatMap(({ isPartialEnough = false }, index) => {
    const [text, code] = [parts[2 * index], parts[2 * index + 1]]
    return text !== undefined && (code === "0" || (isPartialEnough && text !== "")) ? [text] : []
  })
  return outputs.length === commands.length ? outputs : undefined
}
