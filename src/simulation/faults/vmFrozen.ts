/** The hypervisor pauses a node with all its clocks: when it goes on, it does not know that time has passed. */
import { Effect } from "effect"
import { every, type Fault, hindered } from "../Fault.ts"

export const vmFrozen: Fault = {
  name: "vm-frozen",
  title: "a virtual machine is paused with its clocks for up to 60 s",
  run: (world, random) =>
    every(
      random,
      5_000,
      45_000,
      Effect.suspend(() => {
        const host = random.pick(world.hosts.filter(({ isFrozen, isOn }) => isOn && !isFrozen))
        if (host === undefined) return Effect.void
        world.story.note("vm-frozen")
        return hindered(
          world,
          "vm-frozen",
          host.name,
          random.between(100, 60_000),
          () => host.setFrozen(true),
          () => host.setFrozen(false)
        )
      })
    )
}
