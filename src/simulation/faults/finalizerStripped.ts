/** Somebody in a hurry takes our finalizer from an IPAllocation. */
import { Effect } from "effect"
import { ipAllocations } from "../../api/IPAllocation.ts"
import { every, type Fault } from "../Fault.ts"
import { pickAllocation, refOf } from "../Objects.ts"

export const finalizerStripped: Fault = {
  name: "finalizer-stripped",
  title: "a person takes the finalizer from an IPAllocation",
  run: (world, random) =>
    every(
      random,
      2_000,
      20_000,
      Effect.suspend(() => {
        const allocation = pickAllocation(world, random)
        if (allocation === undefined) return Effect.void
        return world.kubectl
          .patch(ipAllocations, refOf(allocation), { metadata: { finalizers: null } })
          .pipe(Effect.andThen(Effect.sync(() => world.story.note("finalizer-stripped"))), Effect.ignore)
      })
    )
}
