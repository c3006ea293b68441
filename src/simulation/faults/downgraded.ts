/**
 * An IPAllocation as v0.4 rewrites it, which knows neither holders nor labels nor our finalizer, before this version is
 * back. Not one that is being moved: v0.4 waits for nobody, and nothing of ours could.
 */
import { Effect } from "effect"
import { isOurLabel } from "../../api/AllocationEntries.ts"
import { type IPAllocation, ipAllocations } from "../../api/IPAllocation.ts"
import { every, type Fault } from "../Fault.ts"
import { pickAllocation, refOf } from "../Objects.ts"

const asV04Writes = ({ metadata, spec }: IPAllocation) => ({
  metadata: {
    finalizers: null,
    labels: Object.fromEntries(
      Object.keys(metadata.labels ?? {})
        .filter(isOurLabel)
        .map((label) => [label, null])
    )
  },
  spec: {
    addressList: null,
    nodeList: null,
    allocations: spec.allocations.map(({ epoch: _epoch, holdId: _holdId, previous: _previous, ...known }) => known)
  }
})

export const downgraded: Fault = {
  name: "downgraded",
  title: "an IPAllocation is written in the shape of v0.4",
  run: (world, random) =>
    every(
      random,
      10_000,
      40_000,
      Effect.suspend(() => {
        const allocation = pickAllocation(world, random)
        const isSettled = allocation?.spec.allocations.every(({ previous = [] }) => previous.length === 0) === true
        if (allocation === undefined || !isSettled) return Effect.void
        return world.kubectl
          .patch(ipAllocations, refOf(allocation), asV04Writes(allocation))
          .pipe(Effect.andThen(Effect.sync(() => world.story.note("downgraded"))), Effect.ignore)
      })
    )
}
