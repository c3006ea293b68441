/** A namespace is deleted with all that is in it, in the middle of allocations, and comes back later. */
import { Effect, Schedule } from "effect"
import { namespaces } from "../../api/Namespace.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { shops } from "../Users.ts"

export const namespaceDeleted: Fault = {
  name: "namespace-deleted",
  title: "a namespace is deleted, and created anew",
  run: (world, random) =>
    every(
      random,
      20_000,
      90_000,
      Effect.suspend(() => {
        const name = random.pick(shops) ?? "shop"
        // Until it is empty it cannot be created.
        const again = world.kubectl
          .create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } })
          .pipe(Effect.retry({ schedule: Schedule.spaced("500 millis"), times: 60 }))
        return brokenBy(
          world,
          "namespace-deleted",
          random.between(100, 5_000),
          world.kubectl.delete(namespaces, { name }),
          again
        )
      })
    )
}
