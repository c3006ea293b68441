/** What the API server has sent to one client stands still on the way for a while, and then arrives at once. */
import { Effect } from "effect"
import { every, type Fault, pickRunning } from "../Fault.ts"

export const watchStalled: Fault = {
  name: "watch-stalled",
  title: "watch events of one client arrive seconds late, all at once",
  run: ({ controllers, kernel, links, operators, story }, random) =>
    every(
      random,
      2_000,
      20_000,
      Effect.sync(() => {
        const post = pickRunning([...controllers, ...operators], random)
        if (post === undefined) return
        story.note("watch-stalled")
        links.stalledUntilMillis.set(post.client, kernel.nowMillis + random.between(100, 8_000))
      })
    ).pipe(Effect.ensuring(Effect.sync(() => links.stalledUntilMillis.clear())))
}
