/** Two operators on one node, as during a botched upgrade: the later one supersedes the earlier. */
import { Effect } from "effect"
import { broken, every, type Fault } from "../Fault.ts"

export const twoOperators: Fault = {
  name: "two-operators",
  title: "two operators run on one node",
  run: (world, random) =>
    every(
      random,
      10_000,
      45_000,
      Effect.suspend(() => {
        const host = random.pick(world.operators.filter(({ isRunning }) => isRunning))?.host
        if (host === undefined) return Effect.void
        const second = world.secondOperator(host)
        world.story.note("two-operators")
        return broken(
          random.between(1_000, 30_000),
          () => second.start(),
          () => second.kill()
        )
      })
    )
}
