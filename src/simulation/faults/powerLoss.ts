/** A machine loses power and boots again later. */
import { Effect } from "effect"
import { broken, every, type Fault } from "../Fault.ts"

export const powerLoss: Fault = {
  name: "power-loss",
  title: "a node loses power, and boots again later",
  run: (world, random) =>
    every(
      random,
      10_000,
      60_000,
      Effect.suspend(() => {
        const host = random.pick(world.hosts.filter(({ isOn }) => isOn))
        if (host === undefined) return Effect.void
        world.story.note("power-loss")
        return broken(
          random.between(1_000, 60_000),
          () => world.powerOff(host),
          () => world.powerOn(host)
        )
      })
    )
}
