/**
 * Transactions of nftables through one `nft -i` that stays: each line is one transaction, confirmed before the next. A
 * process for each would cost 3-19 ms. It is replaced after so many lines, because it leaks 0.5-3.6 kB in
 * each (measured), and at once when it did not answer: what it did is unknown then.
 */
import { Effect, type Scope } from "effect"
import { ToolFailed } from "../../ports/NodeNetwork.ts"
import { misread, quote } from "./Misread.ts"
import * as StayingProcess from "./StayingProcess.ts"
import { reasonOf, type Reason, type Toolbox } from "./Tool.ts"

export interface NftSession {
  /** Fails with what nft printed; nothing of the line was done then. */
  readonly run: (line: string) => Effect.Effect<void, Reason>
}

const linesMax = 10_000
const answerMaxMillis = 2_000

export const make = (toolbox: Toolbox): Effect.Effect<NftSession, never, Scope.Scope> =>
  Effect.gen(function* () {
    const nft = StayingProcess.keep(Effect.sync(() => startNft(toolbox)))
    yield* Effect.addFinalizer(() => Effect.sync(nft.end))
    const ask = (line: string) =>
      nft.ask((running) =>
        running.ask(line).pipe(
          Effect.timeoutOrElse({ duration: answerMaxMillis, orElse: () => Effect.fail(silent(toolbox)) }),
          Effect.flatMap((reply) => judge(toolbox, reply))
        )
      )
    // A transaction that was refused, as by an expired ticket, is an answer; any other failure ends the process.
    const run = (line: string) =>
      Effect.flatMap(ask(line), (said) =>
        said === "" ? Effect.void : Effect.fail(reasonOf(toolbox.nft, said, "refused", ""))
      )
    return { run }
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

interface NftProcess extends Pick<StayingProcess.StayingProcess, "isOver" | "kill"> {
  /** One at a time. */
  readonly ask: (line: string) => Effect.Effect<Reply, Reason>
}

/**
 * Success is silent, so that each line is followed by a word that is none of nft's: the error on it, which quotes it, confirms
 * all before. Both outputs are one pipe, or their order would be lost.
 */
const startNft = (toolbox: Toolbox): NftProcess => {
  const output = new Output()
  let lines = 0
  const { ended, isOver, kill, write } = StayingProcess.start(toolbox, "sh", ["-c", 'exec "$0" -i 2>&1', toolbox.nft], {
    isWrittenTo: true,
    onOutput: output.hear,
    onErrors: output.hear
  })
  const failed = Effect.flatMap(ended, (end) =>
    Effect.fail(StayingProcess.reasonOfEnd(end, toolbox.nft, output.rest()))
  )
  const ask = (line: string) =>
    Effect.suspend(() => {
      const confirmation = `ack${++lines}`
      const said = output.until(confirmation, () => write(`${line}\n${confirmation}\n`))
      return Effect.raceFirst(said, failed)
    })
  return { ask, isOver: () => lines >= linesMax || isOver(), kill }
}

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
  private said: Array<string> = []
  private waiting: { readonly confirmation: string; readonly done: (reply: Reply) => void } | undefined
  private readonly lines = new StayingProcess.Lines((line) => this.line(line))
  readonly hear = this.lines.hear

  /** What is asked is sent once its answer is waited for. */
  until(confirmation: string, send: () => void): Effect.Effect<Reply> {
    return Effect.callback<Reply>((resume) => {
      this.waiting = { confirmation, done: (reply) => resume(Effect.succeed(reply)) }
      send()
    })
  }

  rest(): string {
    return replyOf([...this.said, this.lines.rest]).said
  }

  private line(line: string): void {
    if (line !== this.waiting?.confirmation) return void this.said.push(line)
    const { done } = this.waiting
    this.waiting = undefined
    const heard = this.said
    this.said = []
    done(replyOf(heard))
  }
}
