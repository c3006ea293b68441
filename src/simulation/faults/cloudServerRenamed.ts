/** Somebody in the console gives a server another name, and thinks better of it: only who knows its id still finds the node. */
import { broken, every, type Fault, strike } from "../Fault.ts"

export const cloudServerRenamed: Fault = {
  name: "cloud-server-renamed",
  title: "a person renames a node's server in the console for a while",
  run: (world, random) => {
    const { cloud, hosts } = world
    const named = () => hosts.filter(({ name }) => cloud.serverOf(name)?.name === name)
    const act = strike(world, random, "cloud-server-renamed", named, (host) =>
      broken(
        random.between(1_000, 60_000),
        () => cloud.renameServer(host, `old-${host.name}`),
        () => cloud.renameServer(host, host.name)
      )
    )
    return every(random, 10_000, 60_000, act)
  }
}
