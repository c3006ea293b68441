/** `kill -9` of an operator; its kubelet starts it again. */
import { Effect } from "effect"
import { every, type Fault, started } from "../Fault.ts"

export const operatorKilled: Fault = {
  name: "operator-killed",
  title: "kill -9 of an operator",
  run: (world, random) =>
    every(
      random,
      5_000,
      30_000,
      Effect.sync(() => {
        const post = random.pick(started(world.operators))
        if (post === undefined) return
        world.story.note("operator-killed")
        post.kill()
      })
    )
}
