/** A node gets the taints of a shutdown, or of a machine that is out of service, although it is not. */
import { Effect } from "effect"
import { nodes } from "../../api/Node.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { pickNode, refOf } from "../Objects.ts"

const keys = ["node.kubernetes.io/out-of-service", "node.cloudprovider.kubernetes.io/shutdown", "example.org/gpu"]

export const nodeTainted: Fault = {
  name: "node-tainted",
  title: "a node is tainted for a while",
  run: (world, random) =>
    every(
      random,
      5_000,
      30_000,
      Effect.suspend(() => {
        const node = pickNode(world, random)
        if (node === undefined) return Effect.void
        const taint = { key: random.pick(keys) ?? "", value: "nodeshutdown", effect: "NoExecute" }
        const set = (taints: unknown) => world.kubectl.patch(nodes, refOf(node), { spec: { taints } })
        return brokenBy(world, "node-tainted", random.between(100, 30_000), set([taint]), set(null))
      })
    )
}
