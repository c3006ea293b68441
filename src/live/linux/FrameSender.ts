/**
 * Sends Ethernet frames of one length over one interface, through one `socat` that stays: it makes each `frameBytes` of
 * its stdin one frame. A process for each address would cost 3-19 ms; this way 100 announcements take some milliseconds.
 *
 * A send succeeds only when socat has reported every frame as transferred. Without that frames would be lost in
 * silence: the write to the pipe succeeds while socat dies of "Network is down" behind it.
 */
import type { ChildProcess } from "node:child_process"
import { Deferred, Effect } from "effect"
import { ToolFailed } from "../../ports/NodeNetwork.ts"
import { notStarted, reasonOf, start, type Reason, type Toolbox } from "./Tool.ts"

export interface FrameSender {
  /** False once the process has ended; a sender does not come back. */
  readonly isAlive: () => boolean
  /** One caller at a time. */
  readonly send: (frames: ReadonlyArray<Uint8Array>) => Effect.Effect<void, Reason>
  readonly close: () => void
}

/**
 * Bytes of one write, each awaited before the next. The pipe is a socket pair, which never splits a message below a
 * page: socat cannot read half a frame, after which all later ones would be shifted.
 */
const writeMaxBytes = 4_096
const answerMaxMillis = 2_000

export const open = (toolbox: Toolbox, interfaceName: string, frameBytes: number): Effect.Effect<FrameSender, Reason> =>
  Effect.suspend(() => {
    // Three times -d: "I transferred 42 bytes" for each frame is the acknowledgement.
    const args = ["-d", "-d", "-d", "-u", "-b", String(frameBytes), "STDIN", `INTERFACE:${interfaceName}`]
    const child = start(toolbox, toolbox.socat, args, ["pipe", "ignore", "pipe"])
    const log = watchLog(child, toolbox.socat, interfaceName)
    let isClosed = false
    const close = () => {
      isClosed = true
      child.kill("SIGKILL")
    }
    const framesMax = Math.floor(writeMaxBytes / frameBytes)
    const answered = <A>(step: Effect.Effect<A>, what: string): Effect.Effect<A, Reason> =>
      Effect.raceFirst(step, Deferred.await(log.ended)).pipe(
        Effect.timeoutOrElse({ duration: answerMaxMillis, orElse: () => Effect.fail(silent(toolbox.socat, what)) }),
        // A sender that did not answer, or was left in the middle of a frame, is of no more use.
        Effect.onExit((exit) => (exit._tag === "Failure" ? Effect.sync(close) : Effect.void))
      )
    const send = Effect.fnUntraced(function* (frames: ReadonlyArray<Uint8Array>) {
      for (let first = 0; first < frames.length; first += framesMax) {
        const part = frames.slice(first, first + framesMax)
        const target = log.framesTransferred() + part.length
        yield* answered(Effect.andThen(write(child, Buffer.concat(part)), log.reach(target)), "a frame")
      }
    })
    return answered(log.ready, "its start").pipe(
      Effect.as({ isAlive: () => !isClosed && !Deferred.isDoneUnsafe(log.ended), send, close })
    )
  })

const silent = (tool: string, what: string): Reason =>
  new ToolFailed({
    tool,
    message:
      `did not confirm ${what} within ${answerMaxMillis} ms: the machine is out of breath, or \`socat -d -d -d\` of this ` +
      'version says neither "starting data transfer loop" nor "transferred 42 bytes"'
  })

const write = (child: ChildProcess, bytes: Uint8Array): Effect.Effect<void> =>
  // An error of the pipe is told by the exit of the child, which is raced against this.
  Effect.callback<void>((resume) => void child.stdin?.write(bytes, (error) => error == null && resume(Effect.void)))

interface Log {
  readonly ready: Effect.Effect<void>
  readonly framesTransferred: () => number
  /** Waits until that many frames have left since the start. */
  readonly reach: (frames: number) => Effect.Effect<void>
  readonly ended: Deferred.Deferred<never, Reason>
}

/** socat 1.7 and 1.8 mark lines with their level: I(nfo), N(otice), W(arning), E(rror). */
const watchLog = (child: ChildProcess, tool: string, interfaceName: string): Log => {
  const ready = Deferred.makeUnsafe<void>()
  const ended = Deferred.makeUnsafe<never, Reason>()
  let frames = 0
  let errors = ""
  let rest = ""
  let waiting: { readonly frames: number; readonly resume: () => void } | undefined
  const onLine = (line: string) => {
    if (/ I transferred \d+ bytes/.test(line)) frames++
    else if (line.includes(" N starting data transfer loop")) Deferred.doneUnsafe(ready, Effect.void)
    else if (/ [WE] |^nsenter: |^setpriv: /.test(line)) errors = `${errors}${line}\n`.slice(-1_024)
  }
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) onLine(line)
    if (waiting !== undefined && frames >= waiting.frames) waiting.resume()
  })
  const end = (reason: Reason) => Deferred.doneUnsafe(ended, Effect.fail(reason))
  // "close" comes after the last of stderr, "exit" may come before it.
  child.on("close", (code, signal) =>
    end(reasonOf(tool, errors, `ended with ${signal ?? `exit code ${code}`}`, interfaceName))
  )
  child.on("error", (error) => end(notStarted(tool, error)))
  child.stdin?.on("error", () => undefined)
  const reach = (target: number) =>
    Effect.callback<void>((resume) => {
      if (frames >= target) return resume(Effect.void)
      waiting = { frames: target, resume: () => resume(Effect.void) }
      return Effect.sync(() => void (waiting = undefined))
    })
  return { ready: Deferred.await(ready), framesTransferred: () => frames, reach, ended }
}
