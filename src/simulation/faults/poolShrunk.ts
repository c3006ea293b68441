/** A pool loses addresses that are granted, and gets them back. */
import { Effect } from "effect"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { editPool } from "../Objects.ts"

export const poolShrunk: Fault = {
  name: "pool-shrunk",
  title: "a pool loses addresses that are granted, and gets them back",
  run: (world, random) =>
    every(
      random,
      10_000,
      40_000,
      Effect.suspend(() =>
        brokenBy(
          world,
          "pool-shrunk",
          random.between(100, 20_000),
          editPool(world, { addresses: [`192.0.2.${random.between(10, 40)}-192.0.2.${random.between(41, 99)}`] }),
          editPool(world, { addresses: ["192.0.2.10-192.0.2.100", "2001:db8::/120"] })
        )
      )
    )
}
