/** A node reboots: its addresses are gone, and it is back before or after it was fenced. */
import { Effect } from "effect"
import { broken, every, type Fault } from "../Fault.ts"

export const nodeRebooted: Fault = {
  name: "node-rebooted",
  title: "a node reboots within seconds",
  run: (world, random) =>
    every(
      random,
      10_000,
      60_000,
      Effect.suspend(() => {
        const host = random.pick(world.hosts.filter(({ isOn }) => isOn))
        if (host === undefined) return Effect.void
        world.story.note("node-rebooted")
        return broken(
          random.between(200, 12_000),
          () => world.powerOff(host),
          () => {
            if (!host.isOn) world.powerOn(host)
          }
        )
      })
    )
}
