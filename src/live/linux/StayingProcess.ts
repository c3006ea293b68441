/**
 * A child process that stays: what it prints is heard as it comes, and its end is told to whoever waits for an answer. And one
 * that is kept for all who ask, one after the other, and replaced when it is of no more use.
 */
import type { ChildProcess } from "node:child_process"
import { Deferred, Effect, Semaphore } from "effect"
import { notStarted, reasonOf, start as startTool, type Reason, type Toolbox } from "./Tool.ts"

export type End =
  | { readonly _tag: "NotStarted"; readonly error: Error }
  /** `how` says with which signal or exit code. */
  | { readonly _tag: "Ended"; readonly how: string }

export interface StayingProcess {
  readonly pid: number | undefined
  /** Not started, ended or killed. */
  readonly isOver: () => boolean
  readonly ended: Effect.Effect<End>
  /** An error of the pipe is told by the end of the process, and `onWritten` is not called then. */
  readonly write: (data: string | Uint8Array, onWritten?: () => void) => void
  readonly kill: () => void
}

export interface Options {
  /** Absent: it has no stdin. */
  readonly isWrittenTo?: boolean
  /** Absent: it has no stdout. */
  readonly onOutput?: (text: string) => void
  /** Its output is no text: each character of `onOutput` stands for a byte. */
  readonly isBinary?: boolean
  /** Of stderr; absent: read and forgotten. */
  readonly onErrors?: (text: string) => void
  /** It starts others, which do not outlive it when it is killed, nor hold up the news of its end when it dies. */
  readonly startsOthers?: boolean
}

export const start = (
  toolbox: Toolbox,
  tool: string,
  args: ReadonlyArray<string>,
  { isBinary = false, isWrittenTo = false, onErrors, onOutput, startsOthers = false }: Options
): StayingProcess => {
  const stdio = [isWrittenTo ? "pipe" : "ignore", onOutput === undefined ? "ignore" : "pipe", "pipe"] as const
  const child = startTool(toolbox, tool, args, stdio, { ownGroup: startsOthers })
  const ended = Deferred.makeUnsafe<End>()
  const end = (how: End) => Deferred.doneUnsafe(ended, Effect.succeed(how))
  let isKilled = false
  if (onOutput !== undefined) child.stdout?.setEncoding(isBinary ? "latin1" : "utf8").on("data", onOutput)
  if (onErrors === undefined) child.stderr?.resume()
  else child.stderr?.setEncoding("utf8").on("data", onErrors)
  child.stdin?.on("error", () => undefined)
  child.on("error", (error) => end({ _tag: "NotStarted", error }))
  // "close" comes after the last of what was printed, "exit" may come before it; but "close" waits for what it has started and left.
  child.on(startsOthers ? "exit" : "close", (code, signal) =>
    end({ _tag: "Ended", how: `ended with ${signal ?? `exit code ${code}`}` })
  )
  return {
    pid: child.pid,
    isOver: () => isKilled || isOver(child),
    ended: Deferred.await(ended),
    write: (data, onWritten) => void child.stdin?.write(data, (error) => (error == null ? onWritten?.() : undefined)),
    kill: () => {
      isKilled = true
      if (startsOthers) killGroup(child)
      else child.kill("SIGKILL")
    }
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

/** Why it ended, by what it has said; `interfaceName` is one that its arguments name. */
export const reasonOfEnd = (end: End, tool: string, said: string, interfaceName = ""): Reason =>
  end._tag === "NotStarted" ? notStarted(tool, end.error) : reasonOf(tool, said, end.how, interfaceName)

/** Hands on each line of what comes in pieces. */
export class Lines {
  /** What has no end yet. */
  rest = ""
  private readonly onLine: (line: string) => void

  constructor(onLine: (line: string) => void) {
    this.onLine = onLine
  }

  readonly hear = (text: string): void => {
    const lines = (this.rest + text).split("\n")
    this.rest = lines.pop() ?? ""
    for (const line of lines) this.onLine(line)
  }
}

interface Replaceable {
  /** Over, or worn. */
  readonly isOver: () => boolean
  readonly kill: () => void
}

export interface Kept<P, StartError> {
  /**
   * Asks the process, once nobody else does; starts one if there is none, or the one there is of no more use. A question that
   * fails or is given up ends it: what it says from now on would be taken for the answer to the next one.
   */
  readonly ask: <A, E>(question: (process: P) => Effect.Effect<A, E>) => Effect.Effect<A, E | StartError>
  readonly end: () => void
}

/** Whoever keeps it must end it. */
export const keep = <P extends Replaceable, E = never>(begin: Effect.Effect<P, E>): Kept<P, E> => {
  const lock = Semaphore.makeUnsafe(1)
  let kept: P | undefined
  const end = () => {
    kept?.kill()
    kept = undefined
  }
  const current = Effect.suspend(() => {
    if (kept?.isOver() === true) end()
    return kept === undefined ? Effect.map(begin, (begun) => (kept = begun)) : Effect.succeed(kept)
  })
  return {
    ask: (question) =>
      Effect.flatMap(current, question).pipe(
        Effect.onExit((exit) => (exit._tag === "Failure" ? Effect.sync(end) : Effect.void)),
        lock.withPermit
      ),
    end
  }
}
