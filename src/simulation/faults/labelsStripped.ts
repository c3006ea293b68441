/**
 * Somebody takes our labels from an IPAllocation that is being deleted: no operator sees it any more, and none lets go. (From
 * another one, its address is taken off by the operator that loses sight of it, until the controller has repaired it.)
 */
import { Effect } from "effect"
import { isOurLabel } from "../../api/AllocationEntries.ts"
import { type IPAllocation, ipAllocations } from "../../api/IPAllocation.ts"
import type { TruthEvent } from "../../invariants/GroundTruth.ts"
import { every, type Fault, next } from "../Fault.ts"
import { refOf } from "../Objects.ts"

const beginsToGo = (event: TruthEvent): IPAllocation | undefined => {
  if (event.type !== "Written" || event.kind !== "IPAllocation") return undefined
  const isGoing = event.after?.metadata.deletionTimestamp !== undefined
  return isGoing && event.before?.metadata.deletionTimestamp === undefined ? event.after : undefined
}

export const labelsStripped: Fault = {
  name: "labels-stripped",
  title: "a person takes our labels from an IPAllocation that is being deleted",
  run: (world, random) =>
    every(
      random,
      1_000,
      10_000,
      Effect.gen(function* () {
        const allocation = yield* next(world, beginsToGo)
        if (allocation === undefined) return
        yield* Effect.sleep(random.between(0, 10))
        const ours = Object.keys(allocation.metadata.labels ?? {}).filter(isOurLabel)
        const labels = Object.fromEntries(ours.map((label) => [label, null]))
        yield* world.kubectl
          .patch(ipAllocations, refOf(allocation), { metadata: { labels } })
          .pipe(Effect.andThen(Effect.sync(() => world.story.note("labels-stripped"))), Effect.ignore)
      })
    )
}
