/** The leader is stopped for longer than its lease, with what it was about to write, and goes on. */
import { Effect } from "effect"
import { broken, every, type Fault } from "../Fault.ts"
import { leaderOf } from "../Objects.ts"

export const leaderPaused: Fault = {
  name: "leader-paused",
  title: "the leader does not run for longer than its lease lasts, then goes on with what it was about to write",
  run: (world, random) =>
    every(
      random,
      5_000,
      30_000,
      Effect.suspend(() => {
        const process = leaderOf(world)?.process
        if (process?.isRunning !== true) return Effect.void
        world.story.note("leader-paused")
        return broken(
          random.between(3_000, 20_000),
          () => process.pause(),
          () => process.resume()
        )
      })
    )
}
