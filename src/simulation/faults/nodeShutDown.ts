/** `shutdown` on a node: SIGTERM to its operator, which has a while, then the power goes; later the node boots. */
import { Effect } from "effect"
import { every, type Fault, hindered } from "../Fault.ts"

export const nodeShutDown: Fault = {
  name: "node-shut-down",
  title: "a node is shut down in peace",
  run: (world, random) =>
    every(
      random,
      15_000,
      60_000,
      Effect.suspend(() => {
        const post = random.pick(world.operators.filter(({ isRunning, mayRun }) => isRunning && mayRun))
        const { host } = post ?? {}
        if (post === undefined || host === undefined) return Effect.void
        world.story.note("node-shut-down")
        const end = Effect.sync(() => {
          host.ending = "leaving"
          post.mayRun = false
          post.terminate()
        })
        const off = hindered(
          world,
          "node-shut-down",
          host.name,
          random.between(500, 30_000),
          () => {
            if (host.isOn) world.powerOff(host)
          },
          () => world.powerOn(host)
        )
        const again = Effect.sync(() => {
          post.mayRun = true
        })
        return end.pipe(
          Effect.andThen(Effect.sleep(random.between(10, 5_000))),
          Effect.andThen(off),
          Effect.ensuring(again)
        )
      })
    )
}
