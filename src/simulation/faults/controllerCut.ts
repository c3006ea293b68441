/** A controller loses the API server, wholly or in one direction: it must not act on what it has not seen change. */
import { Effect } from "effect"
import { broken, every, type Fault, started } from "../Fault.ts"
import type { Cut } from "../world/Links.ts"

const cuts: ReadonlyArray<Cut> = ["both", "requests", "replies"]

export const controllerCut: Fault = {
  name: "controller-cut",
  title: "a controller is cut from the API, in one direction or both",
  run: (world, random) =>
    every(
      random,
      5_000,
      40_000,
      Effect.suspend(() => {
        const post = random.pick(started(world.controllers))
        const cut = random.pick(cuts)
        if (post === undefined || cut === undefined) return Effect.void
        world.story.note("controller-cut")
        return broken(
          random.between(500, 30_000),
          () => world.links.sever(post.client, cut, "controller-cut"),
          () => world.links.heal(post.client, "controller-cut")
        )
      })
    )
}
