/**
 * Transactions of nftables through one `nft -i` that stays: each line is one transaction, confirmed before the next. A
 * process for each would cost 3-19 ms, every second. It is replaced after so many lines, because it leaks 0.5-3.6 kB in
 * each (measured), and at once when it did not answer: what it did is unknown then.
 */
import type { ChildProcess } from "node:child_process"
import { Deferred, Effect, type Scope, Semaphore } from "effect"
import { ToolFailed } from "../../ports/NodeNetwork.ts"
import { misread, quote } from "./Misread.ts"
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
        Effect.flatMap((reply) => judge(toolbox, reply)),
        // A transaction that was refused, as by an expired ticket, is an answer; any other failure ends the process.
        Effect.onExit((exit) => (exit._tag === "Failure" ? Effect.sync(end) : Effect.void)),
        Effect.flatMap((said) => (said === "" ? Effect.void : Effect.fail(reasonOf(toolbox.nft, said, "refused", ""))))
      )
    return { run: (line) => lock.withPermit(run(line)) }
  })

const silent = ({ nft }: Toolbox): Reason =>
  new ToolFailed({
    tool: nft,
    message:
      `did not confirm a transaction within ${answerMaxMillis} ms: the machine is out of breath, or \`nft -i\` of this ` +
      "version does not quote a line that it cannot read"
  })

/** What it printed for the line; nothing: it was done. */
const judge = (toolbox: Toolbox, reply: Reply): Effect.Effect<string, Reason> => {
  const { isConfirmed, said } = reply
  if (isConfirmed) return Effect.succeed(said)
  const reason = reasonOf(toolbox.nft, said, "refused", "")
  if (reason._tag !== "ToolFailed") return Effect.fail(reason)
  const expected = `"${confirming}" for a word that is no command`
  return misread(toolbox, { tool: toolbox.nft, args: ["-i"], found: quote(said) || "nothing", expected })
}

interface NftProcess {
  /** One at a time. */
  readonly ask: (line: string) => Effect.Effect<Reply, Reason>
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

/** What nft prints about the confirmation itself, after all that it has to say of the line before. */
const confirming = "Error: syntax error, unexpected newline"

/** The mark under what was quoted; that under the confirmation comes with the next reply only. */
const isMark = (line: string): boolean => /^\s*\^*$/.test(line)

export interface Reply {
  /** Without marks, and without the last line if that is about the confirmation. */
  readonly said: string
  /** Its last line is about the confirmation. If not, this nft tells in other words, and silence would prove nothing. */
  readonly isConfirmed: boolean
}

/** Of all lines before the quoted confirmation. The line may have a syntax error of its own, hence only the last one counts. */
export const replyOf = (lines: ReadonlyArray<string>): Reply => {
  const words = lines.filter((line) => !isMark(line))
  const isConfirmed = words.at(-1)?.startsWith(confirming) === true
  return { said: (isConfirmed ? words.slice(0, -1) : words).join("\n").trim(), isConfirmed }
}

class Output {
  private text = ""
  private lines: Array<string> = []
  private waiting: { readonly confirmation: string; readonly done: (reply: Reply) => void } | undefined

  hear(text: string): void {
    const lines = (this.text + text).split("\n")
    this.text = lines.pop() ?? ""
    for (const line of lines) this.line(line)
  }

  until(confirmation: string): Effect.Effect<Reply> {
    return Effect.callback<Reply>((resume) => {
      this.waiting = { confirmation, done: (reply) => resume(Effect.succeed(reply)) }
    })
  }

  rest(): string {
    return replyOf([...this.lines, this.text]).said
  }

  private line(line: string): void {
    if (line !== this.waiting?.confirmation) return void this.lines.push(line)
    const { done } = this.waiting
    this.waiting = undefined
    const heard = this.lines
    this.lines = []
    done(replyOf(heard))
  }
}
