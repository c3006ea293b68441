/** A `socat` that stays, read by its log: 1.7 and 1.8 mark lines with their level: I(nfo), N(otice), W(arning), E(rror). */
import { Deferred, Effect } from "effect"
import * as StayingProcess from "./StayingProcess.ts"
import type { Reason, Toolbox } from "./Tool.ts"

export interface Socat {
  readonly process: StayingProcess.StayingProcess
  /** It moves data from now on. With two `-d` it says so. */
  readonly ready: Effect.Effect<void, Reason>
  /** Or is not to be gone on with. */
  readonly ended: Effect.Effect<never, Reason>
}

export interface Options {
  /** That the arguments name. */
  readonly interfaceName: string
  readonly isWrittenTo?: boolean
  /** What it prints beside what is wrong, and that it is ready. Gives why not to go on with a socat that prints this. */
  readonly onLine: (line: string) => Effect.Effect<never, Reason> | undefined
}

const errorMaxCharacters = 1_024

export const start = (
  toolbox: Toolbox,
  args: ReadonlyArray<string>,
  { interfaceName, isWrittenTo = false, onLine }: Options
): Socat => {
  const ready = Deferred.makeUnsafe<void>()
  const odd = Deferred.makeUnsafe<Effect.Effect<never, Reason>>()
  let errors = ""
  const lines = new StayingProcess.Lines((line) => {
    if (line.includes(" N starting data transfer loop")) Deferred.doneUnsafe(ready, Effect.void)
    else if (/ [WE] |^nsenter: |^setpriv: /.test(line)) errors = `${errors}${line}\n`.slice(-errorMaxCharacters)
    else {
      const oddity = onLine(line)
      if (oddity !== undefined) Deferred.doneUnsafe(odd, Effect.succeed(oddity))
    }
  })
  const process = StayingProcess.start(toolbox, toolbox.socat, args, { isWrittenTo, onErrors: lines.hear })
  const over = Effect.map(process.ended, (end) =>
    Effect.fail(StayingProcess.reasonOfEnd(end, toolbox.socat, errors, interfaceName))
  )
  // One that has ended by now as well is odd for all that: the oddity comes first.
  const ended = Effect.flatten(Effect.raceFirst(Deferred.await(odd), over))
  return { process, ready: Effect.raceFirst(Deferred.await(ready), ended), ended }
}
