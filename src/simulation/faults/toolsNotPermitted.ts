/** EPERM: the operator may look at its kernel and not change it, as without NET_ADMIN. */
import { Effect } from "effect"
import { every, type Fault, hindered } from "../Fault.ts"

export const toolsNotPermitted: Fault = {
  name: "tools-not-permitted",
  title: "ip and socat fail with EPERM",
  run: (world, random) =>
    every(
      random,
      5_000,
      45_000,
      Effect.suspend(() => {
        const host = random.pick(world.hosts.filter(({ isOn }) => isOn))
        if (host === undefined) return Effect.void
        const { network } = host
        world.story.note("tools-not-permitted")
        return hindered(
          world,
          "tools-not-permitted",
          host.name,
          random.between(100, 30_000),
          () => network.setPermitted(false),
          () => network.setPermitted(true)
        )
      })
    )
}
