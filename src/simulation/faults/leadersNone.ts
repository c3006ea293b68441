/** No controller runs at all for a while. */
import { Effect } from "effect"
import { broken, every, type Fault } from "../Fault.ts"

export const leadersNone: Fault = {
  name: "leaders-none",
  title: "no controller runs for up to 40 s",
  run: ({ controllers, story }, random) =>
    every(
      random,
      20_000,
      90_000,
      Effect.suspend(() => {
        story.note("leaders-none")
        return broken(
          random.between(1_000, 40_000),
          () => {
            for (const post of controllers) {
              post.mayRun = false
              post.kill()
            }
          },
          () => {
            for (const post of controllers) post.mayRun = true
          }
        )
      })
    )
}
