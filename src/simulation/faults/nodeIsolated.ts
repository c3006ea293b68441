/** A node loses everything, API server and segment, and goes on running. */
import { Effect } from "effect"
import { every, type Fault, hindered } from "../Fault.ts"

export const nodeIsolated: Fault = {
  name: "node-isolated",
  title: "a node is cut from API and LAN",
  run: (world, random) =>
    every(
      random,
      10_000,
      60_000,
      Effect.suspend(() => {
        const post = random.pick(world.operators.filter(({ host }) => host?.isOn === true && host.isOnLan))
        const host = post?.host
        if (post === undefined || host === undefined) return Effect.void
        world.story.note("node-isolated")
        return hindered(
          world,
          "node-isolated",
          host.name,
          random.between(500, 40_000),
          () => {
            world.links.sever(post.client, "both", "node-isolated")
            host.setOnLan(false)
          },
          () => {
            world.links.heal(post.client, "node-isolated")
            host.setOnLan(true)
            world.segment.forget()
          }
        )
      })
    )
}
