/** Somebody in a hurry takes our finalizer from an IPAllocation, or wants the address back at once by ending the Service. */
import { Effect } from "effect"
import { ipAllocations } from "../../api/IPAllocation.ts"
import { services } from "../../api/Service.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
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
        // What was bought for it is an orphan from then on, which is given back after ten minutes: longer than a run.
        const isOfCloud = allocation?.spec.allocations.some(({ cloudProvider }) => cloudProvider !== undefined)
        if (allocation === undefined || isOfCloud === true) return Effect.void
        const set = (type: string) => world.kubectl.patch(services, refOf(allocation), { spec: { type } })
        const strip = world.kubectl.patch(ipAllocations, refOf(allocation), { metadata: { finalizers: null } })
        if (random.chance(0.7)) {
          return strip.pipe(Effect.andThen(Effect.sync(() => world.story.note("finalizer-stripped"))), Effect.ignore)
        }
        const both = Effect.andThen(set("ClusterIP"), strip)
        return brokenBy(world, "finalizer-stripped", random.between(1, 5_000), both, set("LoadBalancer"))
      })
    )
}
