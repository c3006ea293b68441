/** What is created and deleted while a client hears nothing, and then lists, it never sees. */
import { Effect } from "effect"
import type { ApiRequest } from "../../memory/kubernetes/Faults.ts"
import { broken, every, type Fault } from "../Fault.ts"

export const watchCoalesced: Fault = {
  name: "watch-coalesced",
  title: "a watch is silent, then 410: what came and went meanwhile is never seen",
  run: ({ links, memory, story }, random) =>
    every(
      random,
      2_000,
      20_000,
      Effect.suspend(() => {
        const watch = random.pick(memory.watches.open())
        if (watch === undefined) return Effect.void
        story.note("watch-coalesced")
        const isIt = ({ plural, user }: ApiRequest) => user === watch.user && plural === watch.plural
        return broken(
          random.between(500, 20_000),
          () => memory.watches.silence(isIt),
          () => links.expire(isIt)
        )
      })
    )
}
