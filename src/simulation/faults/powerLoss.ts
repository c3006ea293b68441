/** A machine loses power and boots again later. */
import { broken, every, type Fault, strike } from "../Fault.ts"

export const powerLoss: Fault = {
  name: "power-loss",
  title: "a node loses power, and boots again later",
  run: (world, random) =>
    every(
      random,
      10_000,
      60_000,
      strike(
        world,
        random,
        "power-loss",
        () => world.hosts.filter(({ isOn }) => isOn),
        (host) =>
          broken(
            random.between(1_000, 60_000),
            () => world.powerOff(host),
            () => world.powerOn(host)
          )
      )
    )
}
