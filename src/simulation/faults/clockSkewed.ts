/** The wall clocks of machines differ by hours. Nothing may depend on them. */
import { Effect } from "effect"
import { every, type Fault } from "../Fault.ts"

const hourMillis = 3_600_000

export const clockSkewed: Fault = {
  name: "clock-skewed",
  title: "each program has a wall clock of its own, up to a day off",
  run: ({ controllers, operators, story }, random) => {
    const posts = [...controllers, ...operators]
    const offsets = new Map(posts.map((post) => [post, random.between(-24 * hourMillis, 24 * hourMillis)]))
    const set = Effect.sync(() => {
      for (const [{ process }, offsetMillis] of offsets) {
        if (process === undefined || process.wallOffsetMillis === offsetMillis) continue
        story.note("clock-skewed")
        process.wallOffsetMillis = offsetMillis
      }
    })
    const right = Effect.sync(() => {
      for (const { process } of posts) if (process !== undefined) process.wallOffsetMillis = 0
    })
    return Effect.ensuring(every(random, 500, 2_000, set), right)
  }
}
