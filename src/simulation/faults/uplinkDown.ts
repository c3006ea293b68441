/** The uplink of a node goes down, and its default route with it: no API, no LAN, and the kernel tells the operator. */
import { Effect } from "effect"
import { every, type Fault, hindered } from "../Fault.ts"

export const uplinkDown: Fault = {
  name: "uplink-down",
  title: "the uplink of a node goes down and comes up again",
  run: (world, random) =>
    every(
      random,
      10_000,
      50_000,
      Effect.suspend(() => {
        const post = random.pick(world.operators.filter(({ host }) => host?.isOn === true))
        const host = post?.host
        if (post === undefined || host === undefined) return Effect.void
        world.story.note("uplink-down")
        return hindered(
          world,
          "uplink-down",
          host.name,
          random.between(200, 30_000),
          () => {
            world.links.sever(post.client, "both", "uplink-down")
            host.meddle("cable", (network) => network.setUp("eth0", false))
          },
          () => {
            world.links.heal(post.client, "uplink-down")
            host.meddle("cable", (network) => {
              network.setUp("eth0", true)
              network.setDefaultRoutes([{ interfaceName: "eth0", metric: 100 }])
            })
            world.segment.forget()
          }
        )
      })
    )
}
