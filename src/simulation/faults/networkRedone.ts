/**
 * Somebody sets up the network of a machine anew by hand, while it is cut from the API for longer than a lease: the pools'
 * interface gets another name with all that is on it, and the operator is started anew. Each of it is harmless alone;
 * together they are what an operator that was fenced must find again. What bears no mark of ours it cannot know: a declared
 * limit, which is not asked for here.
 */
import { Effect } from "effect"
import { ownMetric } from "../../domain/HostAddress.ts"
import { every, type Fault, hindered, started, strike } from "../Fault.ts"
import { has, type Host } from "../world/Host.ts"
import { rename, renameBack } from "./interfaceRenamed.ts"

/** Who holds nothing has nothing to find again. */
const mayBeRedone = (host: Host): boolean => {
  const { addresses = [] } = host.network.state().interfaces.find(({ name }) => name === "pl0") ?? {}
  const areMarked = addresses.length > 0 && addresses.every(({ metric }) => metric === ownMetric)
  return host.isOn && areMarked && !has(host, "br7")
}

export const networkRedone: Fault = {
  name: "network-redone",
  title: "a node's network is set up anew by hand while it is cut from the API",
  run: (world, random) =>
    every(
      random,
      10_000,
      40_000,
      strike(
        world,
        random,
        "network-redone",
        () => started(world.operators).filter(({ host }) => host !== undefined && mayBeRedone(host)),
        (post) => {
          const { host } = post
          if (host === undefined) return Effect.void
          const begin = () => {
            world.links.sever(post.client, "both", "network-redone")
            rename(host, "pl0", "br7")
            post.kill()
          }
          const isCut = hindered(world, "network-redone", host.name, random.between(9_000, 20_000), begin, () =>
            world.links.heal(post.client, "network-redone")
          )
          return isCut.pipe(
            Effect.andThen(Effect.sleep(random.between(8_000, 30_000))),
            Effect.ensuring(Effect.sync(() => renameBack(host)))
          )
        }
      )
    )
}
