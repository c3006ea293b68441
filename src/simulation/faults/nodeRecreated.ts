/**
 * Somebody deletes a Node while its machine runs; its kubelet registers it anew, as it would a machine that it never saw:
 * what people had set on it is gone, and nobody is left who would take it off again.
 */
import { Effect } from "effect"
import { nodes } from "../../api/Node.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { pickNode, refOf } from "../Objects.ts"
import { nodeObject } from "../world/Installation.ts"

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
        const host = world.hosts.find(({ name }) => name === node?.metadata.name)
        if (node === undefined || host === undefined) return Effect.void
        return brokenBy(
          world,
          "node-recreated",
          random.between(100, 10_000),
          world.kubectl.delete(nodes, refOf(node)),
          Effect.suspend(() => world.kubectl.create(nodes, nodeObject(host, world.cloud.providerIdOf(host))))
        )
      })
    )
}
