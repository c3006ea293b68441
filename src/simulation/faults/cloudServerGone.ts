/**
 * Somebody deletes the server of a node. Its machine is gone at once, the cloud-controller-manager deletes its Node a while
 * later, and in the end one of the same name is made, which the provider knows by another id.
 */
import { Effect } from "effect"
import { nodes } from "../../api/Node.ts"
import { every, type Fault, strike } from "../Fault.ts"
import type { Prng } from "../kernel/Prng.ts"
import type { Host } from "../world/Host.ts"
import { nodeObject } from "../world/Installation.ts"
import type { World } from "../world/World.ts"

const deleted = (world: World, random: Prng, host: Host): Effect.Effect<void> => {
  const { cloud, kubectl } = world
  const vanish = Effect.sync(() => {
    world.powerOff(host)
    cloud.deleteServer(host)
    cloud.onChange("console")
  })
  const forgetNode = Effect.ignore(kubectl.delete(nodes, { name: host.name }))
  const appear = Effect.sync(() => {
    cloud.addServer(host)
    world.powerOn(host)
  })
  const register = Effect.suspend(() => kubectl.create(nodes, nodeObject(host, cloud.providerIdOf(host))))
  const pause = () => Effect.sleep(random.between(500, 30_000))
  return Effect.acquireUseRelease(
    vanish,
    () => pause().pipe(Effect.andThen(forgetNode), Effect.andThen(pause())),
    () => forgetNode.pipe(Effect.andThen(appear), Effect.andThen(Effect.ignore(register)))
  )
}

export const cloudServerGone: Fault = {
  name: "cloud-server-gone",
  title: "a node's server is deleted, and made anew under its name",
  run: (world, random) => {
    const candidates = () => world.hosts.filter(({ isOn }) => isOn)
    const act = strike(world, random, "cloud-server-gone", candidates, (host) => deleted(world, random, host))
    return every(random, 15_000, 60_000, act)
  }
}
