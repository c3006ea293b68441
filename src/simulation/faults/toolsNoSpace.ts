/** ENOSPC: no child process starts any more. The operator can neither see nor change its kernel. */
import { Effect } from "effect"
import { every, type Fault, hindered } from "../Fault.ts"

export const toolsNoSpace: Fault = {
  name: "tools-no-space",
  title: "ip and socat fail with ENOSPC",
  run: (world, random) =>
    every(
      random,
      5_000,
      45_000,
      Effect.suspend(() => {
        const host = random.pick(world.hosts.filter(({ isOn }) => isOn))
        if (host === undefined) return Effect.void
        const { network } = host
        world.story.note("tools-no-space")
        return hindered(
          world,
          "tools-no-space",
          host.name,
          random.between(100, 30_000),
          () => network.setToolFailure("No space left on device"),
          () => network.setToolFailure(undefined)
        )
      })
    )
}
