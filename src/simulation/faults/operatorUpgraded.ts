/** A DaemonSet is rolled out: SIGTERM to an operator, and the next one up to 40 s later, when its image has arrived. */
import { Effect } from "effect"
import { broken, every, type Fault } from "../Fault.ts"

export const operatorUpgraded: Fault = {
  name: "operator-upgraded",
  title: "an operator is replaced by its DaemonSet",
  run: (world, random) =>
    every(
      random,
      5_000,
      30_000,
      Effect.suspend(() => {
        const post = random.pick(world.operators.filter(({ isRunning, mayRun }) => isRunning && mayRun))
        const { host } = post ?? {}
        if (post === undefined || host === undefined) return Effect.void
        world.story.note("operator-upgraded")
        return broken(
          random.between(500, random.pick([2_000, 40_000]) ?? 0),
          () => {
            host.ending = "replaced"
            post.mayRun = false
            post.terminate()
          },
          () => {
            post.mayRun = true
          }
        )
      })
    )
}
