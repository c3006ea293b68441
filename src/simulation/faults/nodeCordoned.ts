/** A node is cordoned, and uncordoned. */
import { Effect } from "effect"
import { nodes } from "../../api/Node.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { pickNode, refOf } from "../Objects.ts"

export const nodeCordoned: Fault = {
  name: "node-cordoned",
  title: "a node is cordoned for a while",
  run: (world, random) =>
    every(
      random,
      5_000,
      30_000,
      Effect.suspend(() => {
        const node = pickNode(world, random)
        if (node === undefined) return Effect.void
        const set = (unschedulable: boolean | null) =>
          world.kubectl.patch(nodes, refOf(node), { spec: { unschedulable } })
        return brokenBy(world, "node-cordoned", random.between(100, 30_000), set(true), set(null))
      })
    )
}
