/** A node loses the segment and keeps the API server: it renews, and nobody reaches what it holds. */
import { broken, every, type Fault, strike } from "../Fault.ts"

export const lanCut: Fault = {
  name: "lan-cut",
  title: "a node is cut from the LAN and not from the API",
  run: (world, random) =>
    every(
      random,
      10_000,
      40_000,
      strike(
        world,
        random,
        "lan-cut",
        () => world.hosts.filter(({ isOn, isOnLan }) => isOn && isOnLan),
        (host) =>
          broken(
            random.between(500, 40_000),
            () => host.setOnLan(false),
            () => {
              host.setOnLan(true)
              // What it announced meanwhile nobody heard; clients ask anew in their own time, which is not ours to test.
              world.segment.forget()
            }
          )
      )
    )
}
