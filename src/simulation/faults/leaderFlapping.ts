/** Leadership goes to somebody else each second. */
import { Effect } from "effect"
import { leases } from "../../api/Lease.ts"
import { every, type Fault } from "../Fault.ts"
import { leaderLease } from "../Objects.ts"

export const leaderFlapping: Fault = {
  name: "leader-flapping",
  title: "leadership changes each second",
  run: ({ kubectl, story }, random) =>
    every(
      random,
      15_000,
      60_000,
      kubectl
        .patch(leases, leaderLease, { spec: { holderIdentity: "" } })
        .pipe(
          Effect.andThen(Effect.sync(() => story.note("leader-flapping"))),
          Effect.ignore,
          Effect.andThen(Effect.sleep("1 second")),
          Effect.repeat({ times: 12 })
        )
    )
}
