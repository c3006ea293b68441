/** `kill -9` of a controller, whenever, or when it has just written something; its kubelet starts it again. */
import { isController } from "../../invariants/Actors.ts"
import type { TruthEvent } from "../../invariants/GroundTruth.ts"
import { every, type Fault, kill } from "../Fault.ts"

const writes = (event: TruthEvent): string | undefined =>
  event.type === "Written" && event.kind !== "Lease" && isController(event.by) ? event.by : undefined

export const controllerKilled: Fault = {
  name: "controller-killed",
  title: "kill -9 of a controller, leading or not",
  run: (world, random) =>
    every(
      random,
      5_000,
      30_000,
      kill(world, random, "controller-killed", world.controllers, { acts: writes, withinMillis: 20 })
    )
}
