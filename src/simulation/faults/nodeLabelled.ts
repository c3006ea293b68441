/** A node is excluded from load balancing by its label, or comes to another zone. */
import { Effect } from "effect"
import { nodes } from "../../api/Node.ts"
import { excludeLabel } from "../../invariants/Hosts.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { pickNode, refOf } from "../Objects.ts"

const labels = [excludeLabel, "topology.kubernetes.io/zone"]

export const nodeLabelled: Fault = {
  name: "node-labelled",
  title: "a node gets the label that excludes it, or another zone",
  run: (world, random) =>
    every(
      random,
      5_000,
      30_000,
      Effect.suspend(() => {
        const node = pickNode(world, random)
        if (node === undefined) return Effect.void
        const label = random.pick(labels) ?? ""
        const set = (value: string | null) =>
          world.kubectl.patch(nodes, refOf(node), { metadata: { labels: { [label]: value } } })
        return brokenBy(world, "node-labelled", random.between(100, 30_000), set("b"), set(null))
      })
    )
}
