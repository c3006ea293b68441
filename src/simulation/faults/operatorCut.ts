/** A node loses the API server and keeps the segment: it answers for what it holds, and cannot renew. */
import { every, type Fault, hindered, started, strike } from "../Fault.ts"

export const operatorCut: Fault = {
  name: "operator-cut",
  title: "a node is cut from the API and not from the LAN",
  run: (world, random) =>
    every(
      random,
      5_000,
      40_000,
      strike(
        world,
        random,
        "operator-cut",
        () => started(world.operators),
        (post) =>
          hindered(
            world,
            "operator-cut",
            post.host?.name,
            random.between(500, 40_000),
            () => world.links.sever(post.client, "both", "operator-cut"),
            () => world.links.heal(post.client, "operator-cut")
          )
      )
    )
}
