/** A write arrives seconds after it was sent, when its sender may have given up, been stopped or died. */
import { type Fault, throughout } from "../Fault.ts"

export const lateWrites: Fault = {
  name: "late-writes",
  title: "a write arrives when its sender has given up, is stopped or dead",
  run: ({ links, story }, random) =>
    throughout(
      () => {
        links.lateMillis = () => {
          if (!random.chance(0.01)) return undefined
          story.note("late-writes")
          return random.between(500, 12_000)
        }
      },
      () => {
        links.lateMillis = () => undefined
      }
    )
}
