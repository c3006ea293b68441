/** A node is NotReady, or its network unavailable, while its operator goes on as before. */
import { Effect } from "effect"
import { nodes } from "../../api/Node.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { pickNode, refOf } from "../Objects.ts"

const ready = { type: "Ready", status: "True" }
const troubles = [
  [{ type: "Ready", status: "False" }],
  [{ type: "Ready", status: "Unknown" }],
  [ready, { type: "NetworkUnavailable", status: "True" }]
]

export const nodeNotReady: Fault = {
  name: "node-not-ready",
  title: "a node is NotReady or its network unavailable, for the API alone",
  run: (world, random) =>
    every(
      random,
      5_000,
      30_000,
      Effect.suspend(() => {
        const node = pickNode(world, random)
        if (node === undefined) return Effect.void
        const set = (conditions: unknown) =>
          world.kubectl.patch(nodes, refOf(node), { status: { conditions } }, { subresource: "status" })
        return brokenBy(world, "node-not-ready", random.between(100, 40_000), set(random.pick(troubles)), set([ready]))
      })
    )
}
