/** A watch dies without a sign: the client's transport takes three minutes to notice. */
import { Effect } from "effect"
import { every, type Fault } from "../Fault.ts"

export const watchDead: Fault = {
  name: "watch-dead",
  title: "a watch is silent until the client's transport gives it up",
  run: ({ links, memory, story }, random) =>
    every(
      random,
      5_000,
      60_000,
      Effect.suspend(() => {
        const watch = random.pick(memory.watches.open())
        if (watch === undefined) return Effect.void
        story.note("watch-dead")
        return links.silenceWatch(watch.user, watch.plural)
      })
    )
}
