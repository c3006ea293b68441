/** A second pool lists addresses of the first. */
import { Effect } from "effect"
import { persistentIPPools } from "../../api/PersistentIPPool.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { pool } from "../Users.ts"

export const poolOverlap: Fault = {
  name: "pool-overlap",
  title: "a second pool lists addresses of the first for a while",
  run: (world, random) =>
    every(
      random,
      10_000,
      40_000,
      Effect.suspend(() => {
        const first = random.between(5, 60)
        const spec = { addresses: [`192.0.2.${first}-192.0.2.${first + 30}`], priority: random.between(0, 200) }
        return brokenBy(
          world,
          "pool-overlap",
          random.between(1_000, 30_000),
          world.kubectl.create(persistentIPPools, pool("rack-2", spec)),
          world.kubectl.delete(persistentIPPools, { name: "rack-2" })
        )
      })
    )
}
