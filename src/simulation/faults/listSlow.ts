/** A program starts while the API server takes long to list one kind, of which there are many: it has the others before. */
import { Effect } from "effect"
import { broken, every, type Fault, started } from "../Fault.ts"

export const listSlow: Fault = {
  name: "list-slow",
  title: "a program starts while lists of one kind take seconds",
  run: ({ controllers, links, memory, operators, story }, random) =>
    every(
      random,
      5_000,
      30_000,
      Effect.suspend(() => {
        const post = random.pick(started([...controllers, ...operators]))
        const plural = random.pick(memory.watches.open().filter(({ user }) => user === post?.client))?.plural
        if (plural === undefined) return Effect.void
        return broken(
          random.between(5_000, 30_000),
          () => {
            links.faults.set("list-slow", (request) => {
              if (request.method !== "list" || request.plural !== plural) return undefined
              story.note("list-slow")
              return { delayMillis: random.between(1_000, 9_000) }
            })
            post?.kill()
          },
          () => links.faults.delete("list-slow")
        )
      })
    )
}
