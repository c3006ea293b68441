/** Somebody, or NTP, sets a wall clock, forwards or back. */
import { Effect } from "effect"
import { every, type Fault, pickRunning } from "../Fault.ts"

export const clockStepped: Fault = {
  name: "clock-stepped",
  title: "wall clocks jump by up to a day",
  run: ({ controllers, operators, story }, random) => {
    const posts = [...controllers, ...operators]
    const step = Effect.sync(() => {
      const process = pickRunning(posts, random)?.process
      if (process === undefined) return
      story.note("clock-stepped")
      process.wallOffsetMillis += random.between(-1, 1) * (random.pick([1_000, 60_000, 86_400_000]) ?? 0)
    })
    const right = Effect.sync(() => {
      for (const { process } of posts) if (process !== undefined) process.wallOffsetMillis = 0
    })
    return Effect.ensuring(every(random, 2_000, 20_000, step), right)
  }
}
