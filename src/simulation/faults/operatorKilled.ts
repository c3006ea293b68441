/**
 * `kill -9` of an operator, whenever, or when it has just changed an interface and has not said so yet; its kubelet
 * starts it again.
 */
import { Effect } from "effect"
import { isOperator } from "../../invariants/Actors.ts"
import type { TruthEvent } from "../../invariants/GroundTruth.ts"
import { every, type Fault, next, started } from "../Fault.ts"

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
      Effect.gen(function* () {
        const by = random.chance(0.5) ? yield* next(world, changes) : undefined
        if (by !== undefined) yield* Effect.sleep(random.between(0, 40))
        const running = started(world.operators)
        const post = by === undefined ? random.pick(running) : running.find(({ client }) => client === by)
        if (post === undefined) return
        world.story.note("operator-killed")
        post.kill()
      })
    )
}
