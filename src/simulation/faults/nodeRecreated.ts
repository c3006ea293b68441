/** Somebody deletes a Node while its machine runs; its kubelet registers it anew. */
import { Effect } from "effect"
import { nodes } from "../../api/Node.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { pickNode, refOf } from "../Objects.ts"

export const nodeRecreated: Fault = {
  name: "node-recreated",
  title: "a Node is deleted, and registered anew by its kubelet",
  run: (world, random) =>
    every(
      random,
      15_000,
      60_000,
      Effect.suspend(() => {
        const node = pickNode(world, random)
        if (node === undefined) return Effect.void
        const { labels = {}, name } = node.metadata
        const again = { apiVersion: "v1", kind: "Node", metadata: { name, labels }, status: node.status ?? {} }
        return brokenBy(
          world,
          "node-recreated",
          random.between(100, 10_000),
          world.kubectl.delete(nodes, refOf(node)),
          world.kubectl.create(nodes, again)
        )
      })
    )
}
