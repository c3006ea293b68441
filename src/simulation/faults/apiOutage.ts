/**
 * The whole API is away: every request is refused, every watch ends. Nobody can be fenced meanwhile, so it excuses no
 * second holder by itself; but who was hindered until just now cannot learn either what became of its addresses.
 */
import { Effect } from "effect"
import { Unavailable } from "../../ports/Kubernetes.ts"
import { every, type Fault } from "../Fault.ts"
import type { World } from "../world/World.ts"
import { refused, resetWatches } from "../RequestTrouble.ts"

const flag = "api-outage"
/** What an operator that is no longer hindered needs to learn that it was fenced, and to let go. */
const graceMillis = 5_000

const hinderedNodes = ({ kernel, truth }: World): ReadonlyArray<string> =>
  [...truth.nodes.values()]
    .filter(
      ({ impairedSince, impairedUntil }) =>
        impairedSince !== undefined || kernel.nowMillis - (impairedUntil ?? 0) <= graceMillis
    )
    .map(({ name }) => name)

export const apiOutage: Fault = {
  name: "api-outage",
  title: "the API is away for everybody, for up to 30 s",
  run: (world, random) =>
    every(
      random,
      20_000,
      90_000,
      Effect.suspend(() => {
        resetWatches(world, () => true)
        const down = new Unavailable({ message: "connection refused" })
        const hindered = hinderedNodes(world)
        for (const node of hindered) world.truth.impair(node, flag)
        return refused(world, flag, undefined, random.between(500, 30_000), () => down).pipe(
          Effect.ensuring(Effect.sync(() => hindered.forEach((node) => world.truth.relieve(node, flag))))
        )
      })
    )
}
