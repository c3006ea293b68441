/**
 * A machine that is none of the cluster's has an address of a pool for a while: often the one that would be granted next, never
 * one that is granted already. It keeps it, whatever we announce.
 */
import { Effect } from "effect"
import * as Address from "../../domain/Address.ts"
import { claimsOf } from "../../invariants/Claims.ts"
import { rangesOf } from "../../invariants/Pools.ts"
import { broken, every, type Fault } from "../Fault.ts"
import type { World } from "../world/World.ts"

/** Of each range, so many from its beginning are of interest. */
const looksMax = 12n

const freeIn = ({ truth }: World): ReadonlyArray<Address.Address> => {
  const taken = new Set([...truth.allocations.values()].flatMap((each) => claimsOf(each).map(({ address }) => address)))
  return [...truth.pools.values()]
    .flatMap(rangesOf)
    .flatMap(({ family, first, last }) =>
      Array.from({ length: Number(last - first < looksMax ? last - first + 1n : looksMax) }, (_, index) =>
        Address.fromBigInt(family, first + BigInt(index))
      ).filter((address) => !taken.has(address))
    )
}

export const foreignHost: Fault = {
  name: "foreign-host",
  title: "a machine that is none of the cluster's has an address of a pool",
  run: (world, random) =>
    every(
      random,
      3_000,
      20_000,
      Effect.suspend(() => {
        const { kernel, segment, story } = world
        const free = freeIn(world).filter((address) => !segment.foreign.has(address))
        const address = random.chance(0.5) ? free[0] : random.pick(free)
        if (address === undefined) return Effect.void
        const mac = `02:00:00:02:00:${random.between(16, 99)}`
        return Effect.forkChild(
          broken(
            random.between(1_000, 60_000),
            () => {
              story.note("foreign-host")
              story.tell(`a foreign machine ${mac} takes ${address}`)
              segment.foreign.set(address, { mac, sinceMillis: kernel.nowMillis })
            },
            () => {
              story.tell(`the foreign machine ${mac} leaves ${address}`)
              segment.foreign.delete(address)
            }
          )
        )
      })
    )
}
