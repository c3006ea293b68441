/** The API server has forgotten the versions before now: whoever wants to go on from one must list anew. */
import { Effect } from "effect"
import { every, type Fault } from "../Fault.ts"

export const watchExpired: Fault = {
  name: "watch-expired",
  title: "410, into open watches and for versions that are gone",
  run: ({ links, memory, story }, random) =>
    every(
      random,
      5_000,
      40_000,
      Effect.sync(() => {
        story.note("watch-expired")
        memory.expireHistory()
        const isHit = new Set(memory.watches.open().filter(() => random.chance(0.3)))
        links.expire((watch) => isHit.has(watch))
      })
    )
}
