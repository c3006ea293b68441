/** Clocks run too fast or too slow, by as much as chrony may slew them: 8 %. */
import { Effect } from "effect"
import { every, type Fault, pickRunning } from "../Fault.ts"

export const clockRate: Fault = {
  name: "clock-rate",
  title: "monotonic clocks run up to 8 % too fast or too slow",
  run: ({ controllers, operators, story }, random) => {
    const posts = [...controllers, ...operators]
    const slew = Effect.sync(() => {
      const process = pickRunning(posts, random)?.process
      if (process === undefined) return
      story.note("clock-rate")
      process.setRate(random.between(92, 108) / 100)
    })
    const right = Effect.sync(() => {
      for (const { process } of posts) process?.setRate(1)
    })
    return Effect.ensuring(every(random, 500, 10_000, slew), right)
  }
}
