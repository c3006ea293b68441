/** A node hears the segment and is not heard, or is heard and hears nothing: it answers nobody either way. */
import { broken, every, type Fault, strike } from "../Fault.ts"

export const lanOneWay: Fault = {
  name: "lan-one-way",
  title: "between a node and the LAN only one direction passes",
  run: (world, random) =>
    every(
      random,
      10_000,
      40_000,
      strike(
        world,
        random,
        "lan-one-way",
        () => world.hosts.filter(({ isOn, isOnLan }) => isOn && isOnLan),
        (host) => {
          const hears = random.chance(0.5)
          return broken(
            random.between(500, 40_000),
            () => host.setLan(hears, !hears),
            () => {
              host.setOnLan(true)
              world.segment.forget()
            }
          )
        }
      )
    )
}
