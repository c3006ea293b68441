/**
 * A controller that has just started again sees the cluster as it was: its lists are consistent, as the port promises,
 * and what happens after them reaches it seconds late.
 */
import { Effect } from "effect"
import { every, type Fault, started } from "../Fault.ts"

export const staleAfterRestart: Fault = {
  name: "stale-after-restart",
  title: "a controller starts again, and its watches lag behind",
  run: (world, random) =>
    every(
      random,
      15_000,
      60_000,
      Effect.suspend(() => {
        const post = random.pick(started(world.controllers))
        if (post === undefined) return Effect.void
        world.story.note("stale-after-restart")
        post.kill()
        const untilMillis = world.kernel.nowMillis + random.between(1_500, 8_000)
        world.links.stalledUntilMillis.set(post.client, untilMillis)
        return Effect.void
      })
    ).pipe(Effect.ensuring(Effect.sync(() => world.links.stalledUntilMillis.clear())))
}
