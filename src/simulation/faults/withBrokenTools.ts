/** What all faults of a node's tools have in common: for a while the operator can do less with its kernel. */
import type * as MemoryNodeNetwork from "../../memory/network/MemoryNodeNetwork.ts"
import { every, type Fault, hindered, strike } from "../Fault.ts"

export const withBrokenTools =
  (
    flag: string,
    breaks: (network: MemoryNodeNetwork.Handle) => void,
    mends: (network: MemoryNodeNetwork.Handle) => void
  ): Fault["run"] =>
  (world, random) =>
    every(
      random,
      5_000,
      45_000,
      strike(
        world,
        random,
        flag,
        () => world.hosts.filter(({ isOn }) => isOn),
        // The kernel of this boot: the next one is another.
        ({ name, network }) =>
          hindered(
            world,
            flag,
            name,
            random.between(100, 30_000),
            () => breaks(network),
            () => mends(network)
          )
      )
    )
