/**
 * Two operators on one node, as during a botched upgrade. The health port, which an operator takes before it registers,
 * lets only one of them run: the later one when the earlier dies, and that one again when the later is gone.
 */
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
        const first = random.pick(world.operators.filter(({ isRunning }) => isRunning))
        if (first?.host === undefined) return Effect.void
        const second = world.secondOperator(first.host)
        world.story.note("two-operators")
        return broken(
          random.between(1_000, 30_000),
          () => {
            first.kill()
            second.start()
          },
          () => second.kill()
        )
      })
    )
}
