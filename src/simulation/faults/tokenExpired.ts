/** The token of one of our programs is no longer accepted: 401, and its watches end. */
import { Effect } from "effect"
import { Denied } from "../../ports/Kubernetes.ts"
import { every, type Fault, pickRunning } from "../Fault.ts"
import { refused, resetWatches } from "../RequestTrouble.ts"

export const tokenExpired: Fault = {
  name: "token-expired",
  title: "401 for one client, whose watches end",
  run: (world, random) =>
    every(
      random,
      10_000,
      45_000,
      Effect.suspend(() => {
        const post = pickRunning([...world.controllers, ...world.operators], random)
        if (post === undefined) return Effect.void
        resetWatches(world, ({ user }) => user === post.client)
        const reason = new Denied({ status: 401, message: "Unauthorized" })
        return refused(world, "token-expired", post, random.between(500, 15_000), () => reason)
      })
    )
}
