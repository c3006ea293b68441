/** The client, or a switch before it, takes no notice of announcements for a while. */
import { Effect } from "effect"
import { broken, every, type Fault } from "../Fault.ts"

export const neighboursIgnore: Fault = {
  name: "neighbours-ignore",
  title: "neighbours ignore ARP announcements for a while",
  run: ({ segment, story }, random) =>
    every(
      random,
      5_000,
      30_000,
      Effect.suspend(() => {
        story.note("neighbours-ignore")
        return broken(
          random.between(1_000, 20_000),
          () => {
            segment.ignoresAnnouncements = true
          },
          () => {
            segment.ignoresAnnouncements = false
            segment.forget()
          }
        )
      })
    )
}
