/** The API server closes watches, or their connections break. */
import { Effect } from "effect"
import type { ApiRequest } from "../../memory/kubernetes/Faults.ts"
import { every, type Fault } from "../Fault.ts"

export const watchDropped: Fault = {
  name: "watch-dropped",
  title: "watches end, in peace or by a reset",
  run: ({ memory, story }, random) =>
    every(
      random,
      500,
      15_000,
      Effect.sync(() => {
        const watch = random.pick(memory.watches.open())
        if (watch === undefined) return
        story.note("watch-dropped")
        const isIt = ({ plural, user }: ApiRequest) => user === watch.user && plural === watch.plural
        if (random.chance(0.5)) memory.watches.drop(isIt)
        else memory.watches.reset(isIt)
      })
    )
}
