/** `nft flush ruleset`, as a firewall does that is loaded anew: the fence is gone until the next renewal. */
import { Effect } from "effect"
import { every, type Fault, strike } from "../Fault.ts"

export const rulesetFlushed: Fault = {
  name: "ruleset-flushed",
  title: "somebody takes all rules of a node's packet filter away",
  run: (world, random) =>
    every(
      random,
      5_000,
      30_000,
      strike(
        world,
        random,
        "ruleset-flushed",
        () => world.hosts.filter((host) => host.isOn && host.hasFence),
        (host) => Effect.sync(() => host.meddle("person", (network) => network.fence.remove()))
      )
    )
}
