/** Lines with the time since the start, in the order in which things happened, whoever tells of them. */
import { Clock, Deferred, Effect, Queue } from "effect"
import type { Scope } from "effect"

export interface Output {
  readonly write: (text: string) => Effect.Effect<void>
  readonly isTerminal: boolean
}

export interface Screen {
  /** A sentence of the story, without time. */
  readonly heading: (text: string) => void
  /** Something that happened just now. Synchronous, so that the listeners of the API server may tell of it. */
  readonly event: (text: string) => void
  /** How far it is: overwritten by the next line on a terminal, a line of its own elsewhere. */
  readonly progress: (text: string) => void
  /** Everything told so far is written. */
  readonly flush: Effect.Effect<void>
}

type Piece =
  | { readonly _tag: "Line" | "Progress"; readonly text: string }
  | { readonly _tag: "Flush"; readonly done: Deferred.Deferred<void> }

const PROGRESS_WIDTH_MAX = 78
const clearLine = "\r\u001b[2K"

export const make = Effect.fnUntraced(function* (output: Output): Effect.fn.Return<Screen, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const startedAt = clock.monotonicTimeNanosUnsafe()
  const pieces = yield* Queue.unbounded<Piece>()
  let open = false

  const writeLine = (text: string) => {
    const before = open ? clearLine : ""
    open = false
    return output.write(`${before}${text}\n`)
  }
  const writeProgress = (text: string) => {
    if (!output.isTerminal) return output.write(`${text}\n`)
    open = true
    return output.write(`${clearLine}${text.slice(0, PROGRESS_WIDTH_MAX)}`)
  }
  const print = (piece: Piece): Effect.Effect<void> => {
    if (piece._tag === "Flush") return Effect.asVoid(Deferred.succeed(piece.done, undefined))
    return piece._tag === "Line" ? writeLine(piece.text) : writeProgress(piece.text)
  }
  yield* Queue.take(pieces).pipe(
    Effect.flatMap(print),
    Effect.forever,
    // Interrupted with a progress line on the screen: the prompt must not stand behind it.
    Effect.ensuring(Effect.suspend(() => (open ? output.write("\n") : Effect.void))),
    Effect.forkScoped
  )

  const timed = (text: string): string => {
    const seconds = Number(clock.monotonicTimeNanosUnsafe() - startedAt) / 1e9
    return `${seconds.toFixed(2).padStart(6)} s  ${text}`
  }
  const add = (piece: Piece) => void Queue.offerUnsafe(pieces, piece)
  return {
    heading: (text) => add({ _tag: "Line", text }),
    event: (text) => add({ _tag: "Line", text: timed(text) }),
    progress: (text) => add({ _tag: "Progress", text: timed(text) }),
    flush: Effect.flatMap(Deferred.make<void>(), (done) => {
      add({ _tag: "Flush", done })
      return Deferred.await(done)
    })
  }
})
