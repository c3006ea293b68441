/** Somebody takes the rights of one of our programs away: 403 for everything that is asked anew. */
import { Effect } from "effect"
import { Denied } from "../../ports/Kubernetes.ts"
import { every, type Fault, pickRunning } from "../Fault.ts"
import { refused } from "../RequestTrouble.ts"

export const rbacRevoked: Fault = {
  name: "rbac-revoked",
  title: "403 for one client, while its open watches go on",
  run: (world, random) =>
    every(
      random,
      10_000,
      45_000,
      Effect.suspend(() => {
        const post = pickRunning([...world.controllers, ...world.operators], random)
        if (post === undefined) return Effect.void
        const reason = new Denied({ status: 403, message: "forbidden" })
        return refused(world, "rbac-revoked", post, random.between(1_000, 30_000), () => reason)
      })
    )
}
