/** SIGSTOP between any two steps of an operator, SIGCONT up to a minute later. */
import { Effect } from "effect"
import { every, type Fault, hindered, pickRunning } from "../Fault.ts"

export const operatorPaused: Fault = {
  name: "operator-paused",
  title: "an operator does not run for up to 60 s",
  run: (world, random) =>
    every(
      random,
      3_000,
      30_000,
      Effect.suspend(() => {
        const post = pickRunning(world.operators, random)
        const process = post?.process
        if (post === undefined || process === undefined) return Effect.void
        world.story.note("operator-paused")
        const millis = random.between(1, random.pick([100, 5_000, 60_000]) ?? 0)
        return hindered(
          world,
          "operator-paused",
          post.host?.name,
          millis,
          () => process.pause(),
          () => process.resume()
        )
      })
    )
}
