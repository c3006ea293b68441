/** The lease of the leader is deleted again and again: another leads while the first thinks that it does. */
import { Effect } from "effect"
import { leases } from "../../api/Lease.ts"
import { every, type Fault } from "../Fault.ts"
import { leaderLease } from "../Objects.ts"

export const leadersMany: Fault = {
  name: "leaders-many",
  title: "two or three controllers lead at once",
  run: ({ kubectl, story }, random) =>
    every(
      random,
      10_000,
      40_000,
      kubectl
        .delete(leases, leaderLease)
        .pipe(
          Effect.andThen(Effect.sync(() => story.note("leaders-many"))),
          Effect.andThen(Effect.suspend(() => Effect.sleep(random.between(200, 2_500)))),
          Effect.ignore,
          Effect.repeat({ times: 5 })
        )
    )
}
