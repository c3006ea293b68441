/** `kill -9` of a controller, whenever, or when it has just written something; its kubelet starts it again. */
import { Effect } from "effect"
import { isController } from "../../invariants/Actors.ts"
import type { TruthEvent } from "../../invariants/GroundTruth.ts"
import { every, type Fault, next, started } from "../Fault.ts"

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
      Effect.gen(function* () {
        const by = random.chance(0.5) ? yield* next(world, writes) : undefined
        if (by !== undefined) yield* Effect.sleep(random.between(0, 20))
        const running = started(world.controllers)
        const post = by === undefined ? random.pick(running) : running.find(({ client }) => client === by)
        if (post === undefined) return
        world.story.note("controller-killed")
        post.kill()
      })
    )
}
