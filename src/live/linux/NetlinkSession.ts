/**
 * Changes nftables sets through one `socat` that stays: it makes each write to its stdin one datagram to nf_tables, and prints
 * what the kernel answers. A batch is done whole or not at all.
 */
import { getSystemErrorMap } from "node:util"
import { Effect, type Scope } from "effect"
import { ToolFailed } from "../../ports/NodeNetwork.ts"
import * as SetBatch from "./SetBatch.ts"
import * as StayingProcess from "./StayingProcess.ts"
import { reasonOf, type Reason, type Toolbox } from "./Tool.ts"

export interface NetlinkSession {
  /** Whether they are not too long for one datagram. */
  readonly takes: (changes: ReadonlyArray<SetBatch.Change>) => boolean
  /** `absent`: a table, a set, or an element that was to be deleted, is not there. Whenever it is not `done` nothing was. */
  readonly run: (changes: ReadonlyArray<SetBatch.Change>) => Effect.Effect<"done" | "absent", Reason>
}

const answerMaxMillis = 2_000

/**
 * A batch is one datagram, hence what socat reads at once. Linux keeps a write of up to 32 KiB together in a pipe of Node's, which is
 * a socket pair (`UNIX_SKB_FRAGS_SZ`). Were it split, the kernel would do nothing, and answer nothing.
 */
const batchMaxBytes = 32_768

/** AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER; then the kernel's `sockaddr_nl` behind its family (netlink(7)). */
const socatArguments = ["-b", String(batchMaxBytes), "STDIO", `SOCKET-DATAGRAM:16:3:12:x${"00".repeat(10)}`]

export const make = (toolbox: Toolbox): Effect.Effect<NetlinkSession, never, Scope.Scope> =>
  Effect.gen(function* () {
    const socat = StayingProcess.keep(Effect.sync(() => startSocat(toolbox)))
    yield* Effect.addFinalizer(() => Effect.sync(socat.end))
    const run: NetlinkSession["run"] = (changes) =>
      socat
        .ask((running) =>
          Effect.timeoutOrElse(running.ask(changes), {
            duration: answerMaxMillis,
            orElse: () => Effect.fail(silent(toolbox))
          })
        )
        .pipe(Effect.flatMap((errnos) => judge(toolbox, errnos)))
    return { run, takes: (changes) => SetBatch.bytesOf(changes) <= batchMaxBytes }
  })

const silent = ({ socat }: Toolbox): Reason =>
  new ToolFailed({
    tool: socat,
    message: `the kernel did not answer a change of nftables sets within ${answerMaxMillis} ms: the machine is out of breath`
  })

const notThere = 2

const judge = ({ socat }: Toolbox, errnos: ReadonlyArray<number>): Effect.Effect<"done" | "absent", Reason> => {
  const other = errnos.find((each) => each !== notThere)
  if (other === undefined) return Effect.succeed(errnos.length === 0 ? "done" : "absent")
  const [name, text] = getSystemErrorMap().get(-other) ?? [`errno ${other}`, "no such error is known"]
  return Effect.fail(reasonOf(socat, `nf_tables: ${text}`, name, ""))
}

interface Netlink extends Pick<StayingProcess.StayingProcess, "isOver" | "kill"> {
  /** One at a time. What the kernel refused, by errno; none: it is done. */
  readonly ask: (changes: ReadonlyArray<SetBatch.Change>) => Effect.Effect<ReadonlyArray<number>, Reason>
}

const startSocat = (toolbox: Toolbox): Netlink => {
  const answers = new Answers()
  let errors = ""
  let sequence = 0
  const { ended, isOver, kill, write } = StayingProcess.start(toolbox, toolbox.socat, socatArguments, {
    isWrittenTo: true,
    isBinary: true,
    onOutput: answers.hear,
    onErrors: (text) => void (errors = `${errors}${text}`.slice(-errorsMaxCharacters))
  })
  const failed = Effect.flatMap(ended, (end) => Effect.fail(StayingProcess.reasonOfEnd(end, toolbox.socat, errors)))
  const ask = (changes: ReadonlyArray<SetBatch.Change>) =>
    Effect.suspend(() => {
      const first = sequence + 1
      sequence = first + changes.length + 1
      const bytes = SetBatch.encode(changes, first)
      if (bytes.length > batchMaxBytes) return Effect.die(new Error(`a batch of ${bytes.length} bytes`))
      const said = answers.to({ first, last: first + changes.length }, () => write(bytes))
      return Effect.raceFirst(said, failed)
    })
  return { ask, isOver, kill }
}

const errorsMaxCharacters = 1_024

interface Batch {
  readonly first: number
  readonly last: number
}

class Answers {
  private rest = Buffer.alloc(0)
  private waiting: (Batch & { readonly done: () => void }) | undefined
  private errnos: Array<number> = []

  readonly hear = (text: string): void => {
    const { answers, rest } = SetBatch.decode(Buffer.concat([this.rest, Buffer.from(text, "latin1")]))
    this.rest = Buffer.from(rest)
    for (const answer of answers) this.one(answer)
  }

  /**
   * To a batch, whose own number is `first`, and that of its last change `last`: complete when something is said of either. It is
   * sent once it is waited for.
   */
  to(batch: Batch, send: () => void): Effect.Effect<ReadonlyArray<number>> {
    return Effect.callback<ReadonlyArray<number>>((resume) => {
      this.errnos = []
      this.waiting = { ...batch, done: () => resume(Effect.succeed(this.errnos)) }
      send()
    })
  }

  private one({ errno, sequence }: SetBatch.Answer): void {
    if (this.waiting === undefined) return
    const { done, first, last } = this.waiting
    if (sequence < first || sequence > last) return
    if (errno !== 0) this.errnos.push(errno)
    if (sequence !== first && sequence !== last) return
    this.waiting = undefined
    done()
  }
}
