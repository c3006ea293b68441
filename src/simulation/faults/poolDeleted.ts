/** A pool is deleted while its addresses are granted, and created anew. */
import { Effect } from "effect"
import { persistentIPPools } from "../../api/PersistentIPPool.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { settlePool } from "../Objects.ts"

export const poolDeleted: Fault = {
  name: "pool-deleted",
  title: "a pool is deleted while granted, and created anew",
  run: (world, random) =>
    every(
      random,
      20_000,
      90_000,
      Effect.suspend(() => {
        const name = random.chance(0.5) ? "rack-1" : "lab"
        return brokenBy(
          world,
          "pool-deleted",
          random.between(100, 10_000),
          world.kubectl.delete(persistentIPPools, { name }),
          settlePool(world, name)
        )
      })
    )
}
