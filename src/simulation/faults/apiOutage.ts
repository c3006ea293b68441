/** The whole API is away: every request is refused, every watch ends. Nobody is hindered more than another. */
import { Effect } from "effect"
import { Unavailable } from "../../ports/Kubernetes.ts"
import { every, type Fault } from "../Fault.ts"
import { refused, resetWatches } from "../RequestTrouble.ts"

export const apiOutage: Fault = {
  name: "api-outage",
  title: "the API is away for everybody, for up to 30 s",
  run: (world, random) =>
    every(
      random,
      20_000,
      90_000,
      Effect.suspend(() => {
        resetWatches(world, () => true)
        const down = new Unavailable({ message: "connection refused" })
        return refused(world, "api-outage", undefined, random.between(500, 30_000), () => down)
      })
    )
}
