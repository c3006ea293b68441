/** A node loses the segment and keeps the API server: it renews, and nobody reaches what it holds. */
import { Effect } from "effect"
import { broken, every, type Fault } from "../Fault.ts"

export const lanCut: Fault = {
  name: "lan-cut",
  title: "a node is cut from the LAN and not from the API",
  run: ({ hosts, segment, story }, random) =>
    every(
      random,
      10_000,
      40_000,
      Effect.suspend(() => {
        const host = random.pick(hosts.filter(({ isOn, isOnLan }) => isOn && isOnLan))
        if (host === undefined) return Effect.void
        story.note("lan-cut")
        return broken(
          random.between(500, 40_000),
          () => host.setOnLan(false),
          () => {
            host.setOnLan(true)
            // What it announced meanwhile nobody heard; clients ask anew in their own time, which is not ours to test.
            segment.forget()
          }
        )
      })
    )
}
