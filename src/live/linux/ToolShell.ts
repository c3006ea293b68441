/**
 * Runs short reading tools by one shell that stays. For each process that Node itself starts its event loop stands still until
 * the kernel has made and loaded it: 5 ms on a busy machine (measured), during which no lease is renewed, and one look at a node
 * takes four of them. A shell is small, forks quickly, and waits in a process of its own.
 */
import { Effect, type Scope } from "effect"
import { ToolFailed } from "../../ports/NodeNetwork.ts"
import * as StayingProcess from "./StayingProcess.ts"
import { runMaxMillis, type Reason, type Toolbox } from "./Tool.ts"

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
    const shell = StayingProcess.keep(Effect.sync(() => startShell(toolbox)))
    yield* Effect.addFinalizer(() => Effect.sync(shell.end))
    const ask: ToolShell["ask"] = (commands) =>
      shell.ask((running) =>
        Effect.timeoutOrElse(running.ask(commands), {
          duration: runMaxMillis,
          orElse: () => Effect.fail(hanging(commands))
        })
      )
    return { ask }
  })

const hanging = (commands: ReadonlyArray<Command>): Reason =>
  new ToolFailed({ tool: commands[0]?.tool ?? "sh", message: `did not finish within ${runMaxMillis} ms` })

interface Shell extends Pick<StayingProcess.StayingProcess, "isOver" | "kill"> {
  /** One at a time. */
  readonly ask: (commands: ReadonlyArray<Command>) => Effect.Effect<ReadonlyArray<string> | undefined>
}

/** Between what is printed, since no tool prints it. */
const separator = "\0"

const startShell = (toolbox: Toolbox): Shell => {
  let printed = new Printed(0)
  let done: ((parts: ReadonlyArray<string>) => void) | undefined
  const onOutput = (text: string) => {
    printed.add(text)
    if (printed.isWhole) done?.(printed.parts)
  }
  const { ended, isOver, kill, write } = StayingProcess.start(toolbox, "sh", [], {
    isWrittenTo: true,
    onOutput,
    startsOthers: true
  })
  const ask = (commands: ReadonlyArray<Command>) => {
    const answer = Effect.callback<ReadonlyArray<string> | undefined>((resume) => {
      printed = new Printed(2 * commands.length)
      done = (parts) => resume(Effect.succeed(outputsOf(parts, commands)))
      write(commands.map(lineOf).join(""))
    })
    return Effect.raceFirst(answer, Effect.as(ended, undefined))
  }
  return { ask, isOver, kill }
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
