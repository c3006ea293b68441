/**
 * `kill -9` of an operator, whenever, or when it has just changed an interface and has not said so yet; its kubelet
 * starts it again.
 */
import { isOperator } from "../../invariants/Actors.ts"
import type { TruthEvent } from "../../invariants/GroundTruth.ts"
import { every, type Fault, kill } from "../Fault.ts"

const changes = (event: TruthEvent): string | undefined =>
  event.type === "Placed" && isOperator(event.by) ? event.by : undefined

export const operatorKilled: Fault = {
  name: "operator-killed",
  title: "kill -9 of an operator",
  run: (world, random) =>
    every(
      random,
      5_000,
      30_000,
      kill(world, random, "operator-killed", world.operators, { acts: changes, withinMillis: 40 })
    )
}
