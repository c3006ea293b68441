/**
 * Sends Ethernet frames of one length over one interface, through one `socat` that stays: it makes each `frameBytes` of
 * its stdin one frame. A process for each address would cost 3-19 ms; this way 100 announcements take some milliseconds.
 *
 * A send succeeds only when socat has reported every frame as transferred. Without that frames would be lost in
 * silence: the write to the pipe succeeds while socat dies of "Network is down" behind it.
 */
import { Effect } from "effect"
import { ToolFailed } from "../../ports/NodeNetwork.ts"
import * as Socat from "./Socat.ts"
import type { StayingProcess } from "./StayingProcess.ts"
import type { Reason, Toolbox } from "./Tool.ts"

export interface FrameSender extends Pick<StayingProcess, "isOver" | "kill"> {
  /** One caller at a time. A sender that fails, or is left in the middle of a frame, is of no more use. */
  readonly send: (frames: ReadonlyArray<Uint8Array>) => Effect.Effect<void, Reason>
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
    const transferred = new Transferred()
    const { ended, process, ready } = Socat.start(toolbox, args, {
      interfaceName,
      isWrittenTo: true,
      onLine: (line) => void transferred.hear(line)
    })
    const answered = (step: Effect.Effect<void, Reason>, what: string): Effect.Effect<void, Reason> =>
      Effect.timeoutOrElse(step, {
        duration: answerMaxMillis,
        orElse: () => Effect.fail(silent(toolbox.socat, what))
      })
    const framesMax = Math.floor(writeMaxBytes / frameBytes)
    const send = Effect.fnUntraced(function* (frames: ReadonlyArray<Uint8Array>) {
      for (let first = 0; first < frames.length; first += framesMax) {
        const part = frames.slice(first, first + framesMax)
        const target = transferred.frames + part.length
        const sent = Effect.andThen(write(process, Buffer.concat(part)), transferred.reach(target))
        yield* answered(Effect.raceFirst(sent, ended), "a frame")
      }
    })
    return answered(ready, "its start").pipe(
      Effect.onExit((exit) => (exit._tag === "Failure" ? Effect.sync(process.kill) : Effect.void)),
      Effect.as({ isOver: process.isOver, kill: process.kill, send })
    )
  })

const silent = (tool: string, what: string): Reason =>
  new ToolFailed({
    tool,
    message:
      `did not confirm ${what} within ${answerMaxMillis} ms: the machine is out of breath, or \`socat -d -d -d\` of this ` +
      'version says neither "starting data transfer loop" nor "transferred 42 bytes"'
  })

const write = (process: StayingProcess, bytes: Uint8Array): Effect.Effect<void> =>
  Effect.callback<void>((resume) => process.write(bytes, () => resume(Effect.void)))

/** Counts the frames that have left since the start. */
class Transferred {
  frames = 0
  private waiting: { readonly frames: number; readonly resume: () => void } | undefined

  hear(line: string): void {
    if (!/ I transferred \d+ bytes/.test(line)) return
    this.frames++
    if (this.waiting !== undefined && this.frames >= this.waiting.frames) this.waiting.resume()
  }

  /** Waits until so many have. */
  reach(frames: number): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      if (this.frames >= frames) return resume(Effect.void)
      this.waiting = { frames, resume: () => resume(Effect.void) }
      return Effect.sync(() => void (this.waiting = undefined))
    })
  }
}
