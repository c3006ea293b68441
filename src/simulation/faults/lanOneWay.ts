/** A node hears the segment and is not heard, or is heard and hears nothing: it answers nobody either way. */
import { Effect } from "effect"
import { broken, every, type Fault } from "../Fault.ts"

export const lanOneWay: Fault = {
  name: "lan-one-way",
  title: "between a node and the LAN only one direction passes",
  run: ({ hosts, segment, story }, random) =>
    every(
      random,
      10_000,
      40_000,
      Effect.suspend(() => {
        const host = random.pick(hosts.filter(({ isOn, isOnLan }) => isOn && isOnLan))
        if (host === undefined) return Effect.void
        const hears = random.chance(0.5)
        story.note("lan-one-way")
        return broken(
          random.between(500, 40_000),
          () => host.setLan(hears, !hears),
          () => {
            host.setOnLan(true)
            segment.forget()
          }
        )
      })
    )
}
