/**
 * Transactions of nftables through one `nft -i` that stays: each line is one transaction, confirmed before the next. A
 * process for each would cost 3-19 ms, every second. It is replaced after so many lines, because it leaks 0.5-3.6 kB in
 * each (measured), and at once when it did not answer: what it did is unknown then.
 */
import type { ChildProcess } from "node:child_process"
import { Deferred, Effect, type Scope, Semaphore } from "effect"
import { ToolFailed } from "../../ports/NodeNetwork.ts"
import { notStarted, reasonOf, start, type Reason, type Toolbox } from "./Tool.ts"

export interface NftSession {
  /** Fails with what nft printed; nothing of the line was done then. */
  readonly run: (line: string) => Effect.Effect<void, Reason>
}

const linesMax = 10_000
const answerMaxMillis = 2_000

export const make = (toolbox: Toolbox): Effect.Effect<NftSession, never, Scope.Scope> =>
  Effect.gen(function* () {
    const lock = yield* Semaphore.make(1)
    let process: NftProcess | undefined
    const end = () => {
      process?.kill()
      process = undefined
    }
    yield* Effect.addFinalizer(() => Effect.sync(end))
    const current = () => {
      if (process?.isWorn() === true) end()
      return (process ??= startNft(toolbox))
    }
    const run = (line: string) =>
      Effect.suspend(() => current().ask(line)).pipe(
        Effect.timeoutOrElse({ duration: answerMaxMillis, orElse: () => Effect.fail(silent(toolbox)) }),
        Effect.onExit((exit) => (exit._tag === "Failure" ? Effect.sync(end) : Effect.void)),
        Effect.flatMap((said) => (said === "" ? Effect.void : Effect.fail(reasonOf(toolbox.nft, said, "refused", ""))))
      )
    return { run: (line) => lock.withPermit(run(line)) }
  })

const silent = ({ nft }: Toolbox): Reason =>
  new ToolFailed({ tool: nft, message: `did not confirm a transaction within ${answerMaxMillis} ms` })

interface NftProcess {
  /** One at a time. What it printed for the line; nothing: it was done. */
  readonly ask: (line: string) => Effect.Effect<string, Reason>
  readonly isWorn: () => boolean
  readonly kill: () => void
}

/**
 * Success is silent, so that each line is followed by a word that is none of nft's: the error on it, which quotes it, confirms
 * all before. Both outputs are one pipe, or their order would be lost.
 */
const startNft = (toolbox: Toolbox): NftProcess => {
  const child = start(toolbox, "sh", ["-c", 'exec "$0" -i 2>&1', toolbox.nft], ["pipe", "pipe", "pipe"])
  const ended = Deferred.makeUnsafe<never, Reason>()
  const output = new Output()
  let lines = 0
  child.stdout?.setEncoding("utf8").on("data", (text: string) => output.hear(text))
  child.stderr?.setEncoding("utf8").on("data", (text: string) => output.hear(text))
  child.on("error", (error) => Deferred.doneUnsafe(ended, Effect.fail(notStarted(toolbox.nft, error))))
  child.on("close", (code, signal) => {
    const how = `ended with ${signal ?? `exit code ${code}`}`
    Deferred.doneUnsafe(ended, Effect.fail(reasonOf(toolbox.nft, output.rest(), how, "")))
  })
  child.stdin?.on("error", () => undefined)
  const ask = (line: string) =>
    Effect.suspend(() => {
      const confirmation = `ack${++lines}`
      const said = output.until(confirmation)
      child.stdin?.write(`${line}\n${confirmation}\n`)
      return Effect.raceFirst(said, Deferred.await(ended))
    })
  return { ask, isWorn: () => lines >= linesMax || isOver(child), kill: () => void child.kill("SIGKILL") }
}

const isOver = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

/** What nft prints about the confirmation itself, and the mark under it, which comes with the next reply only. */
const isAboutConfirmation = (line: string): boolean =>
  line.startsWith("Error: syntax error, unexpected newline") || /^\s*\^+$/.test(line) || line.trim() === ""

class Output {
  private text = ""
  private lines: Array<string> = []
  private waiting: { readonly confirmation: string; readonly done: (said: string) => void } | undefined

  hear(text: string): void {
    const lines = (this.text + text).split("\n")
    this.text = lines.pop() ?? ""
    for (const line of lines) this.line(line)
  }

  until(confirmation: string): Effect.Effect<string> {
    return Effect.callback<string>((resume) => {
      this.waiting = { confirmation, done: (said) => resume(Effect.succeed(said)) }
    })
  }

  rest(): string {
    return said([...this.lines, this.text])
  }

  private line(line: string): void {
    if (line !== this.waiting?.confirmation) return void this.lines.push(line)
    const { done } = this.waiting
    this.waiting = undefined
    const heard = this.lines
    this.lines = []
    done(said(heard))
  }
}

const said = (lines: ReadonlyArray<string>): string =>
  lines
    .filter((line) => !isAboutConfirmation(line))
    .join("\n")
    .trim()
