/** Somebody excludes two nodes in turns, quicker than what they hold can follow. */
import { Effect } from "effect"
import { nodes } from "../../api/Node.ts"
import { isOperator } from "../../invariants/Actors.ts"
import type { TruthEvent } from "../../invariants/GroundTruth.ts"
import { excludeLabel } from "../../invariants/Hosts.ts"
import { brokenBy, every, type Fault, next } from "../Fault.ts"
import { pickNode, refOf } from "../Objects.ts"

const placed = (event: TruthEvent): true | undefined =>
  event.type === "Placed" && event.isPresent && isOperator(event.by) ? true : undefined

export const nodesInTurns: Fault = {
  name: "nodes-in-turns",
  title: "two nodes are excluded in turns, several times within seconds",
  run: (world, random) =>
    every(
      random,
      10_000,
      45_000,
      Effect.gen(function* () {
        const [one, other] = [pickNode(world, random), pickNode(world, random)]
        if (one === undefined || other === undefined) return
        const set = (name: string, value: string | null) =>
          world.kubectl.patch(nodes, { name }, { metadata: { labels: { [excludeLabel]: value } } })
        const turnsCount = random.between(2, 8)
        for (let turn = 0; turn < turnsCount; turn++) {
          const { name } = refOf(turn % 2 === 0 ? one : other)
          yield* brokenBy(world, "nodes-in-turns", random.between(0, 60), set(name, ""), set(name, null))
          yield* Effect.raceFirst(next(world, placed), Effect.sleep(400))
        }
      })
    )
}
