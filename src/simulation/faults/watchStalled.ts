/**
 * What the API server has sent to one client stands still on the way for a while, and then arrives at once: all of it, or
 * what one watch was sent, which has a connection of its own.
 */
import { Effect } from "effect"
import { every, type Fault, pickRunning } from "../Fault.ts"

export const watchStalled: Fault = {
  name: "watch-stalled",
  title: "watch events of one client arrive seconds late, all at once",
  run: ({ controllers, kernel, links, memory, operators, story }, random) =>
    every(
      random,
      2_000,
      20_000,
      Effect.sync(() => {
        const post = pickRunning([...controllers, ...operators], random)
        if (post === undefined) return
        story.note("watch-stalled")
        const watches = memory.watches.open().filter(({ user }) => user === post.client)
        const one = random.chance(0.5) ? random.pick(watches) : undefined
        const what = one === undefined ? post.client : `${post.client} ${one.plural}`
        links.stalledUntilMillis.set(what, kernel.nowMillis + random.between(100, 8_000))
      })
    ).pipe(Effect.ensuring(Effect.sync(() => links.stalledUntilMillis.clear())))
}
