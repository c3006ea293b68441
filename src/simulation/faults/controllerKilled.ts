/** `kill -9` of a controller; its kubelet starts it again. */
import { Effect } from "effect"
import { every, type Fault, started } from "../Fault.ts"

export const controllerKilled: Fault = {
  name: "controller-killed",
  title: "kill -9 of a controller, leading or not",
  run: (world, random) =>
    every(
      random,
      5_000,
      30_000,
      Effect.sync(() => {
        const post = random.pick(started(world.controllers))
        if (post === undefined) return
        world.story.note("controller-killed")
        post.kill()
      })
    )
}
