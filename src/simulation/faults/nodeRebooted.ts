/** A node reboots: its addresses are gone, and it is back before or after it was fenced. */
import { broken, every, type Fault, strike } from "../Fault.ts"

export const nodeRebooted: Fault = {
  name: "node-rebooted",
  title: "a node reboots within seconds",
  run: (world, random) =>
    every(
      random,
      10_000,
      60_000,
      strike(
        world,
        random,
        "node-rebooted",
        () => world.hosts.filter(({ isOn }) => isOn),
        (host) =>
          broken(
            random.between(200, 12_000),
            () => world.powerOff(host),
            () => world.powerOn(host)
          )
      )
    )
}
