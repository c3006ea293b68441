/** SIGSTOP between any two steps of a controller, SIGCONT up to a minute later. */
import { Effect } from "effect"
import { broken, every, type Fault, pickRunning } from "../Fault.ts"

export const controllerPaused: Fault = {
  name: "controller-paused",
  title: "a controller does not run for up to 60 s",
  run: (world, random) =>
    every(
      random,
      3_000,
      30_000,
      Effect.suspend(() => {
        const process = pickRunning(world.controllers, random)?.process
        if (process === undefined) return Effect.void
        world.story.note("controller-paused")
        return broken(
          random.between(1, random.pick([100, 5_000, 60_000]) ?? 0),
          () => process.pause(),
          () => process.resume()
        )
      })
    )
}
