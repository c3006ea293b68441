/** Between a node and the API server only one direction passes: what it sends arrives, or what it is sent. */
import { every, type Fault, hindered, started, strike } from "../Fault.ts"

export const operatorCutOneWay: Fault = {
  name: "operator-cut-one-way",
  title: "between a node and the API only one direction passes",
  run: (world, random) =>
    every(
      random,
      5_000,
      40_000,
      strike(
        world,
        random,
        "operator-cut-one-way",
        () => started(world.operators),
        (post) => {
          const cut = random.chance(0.5) ? "requests" : "replies"
          return hindered(
            world,
            "operator-cut-one-way",
            post.host?.name,
            random.between(500, 40_000),
            () => world.links.sever(post.client, cut, "operator-cut-one-way"),
            () => world.links.heal(post.client, "operator-cut-one-way")
          )
        }
      )
    )
}
