/**
 * A Service wants none just when an address was bought for it, and before the buyer has heard so: it is no LoadBalancer any
 * more, or names an address of its users. What was intended is not wanted, and there it is, and costs.
 */
import { Effect } from "effect"
import { services } from "../../api/Service.ts"
import { boughtFor } from "../../invariants/Clouds.ts"
import type { TruthEvent } from "../../invariants/GroundTruth.ts"
import { brokenBy, every, type Fault, next } from "../Fault.ts"
import type { World } from "../world/World.ts"

/** Of the one that was bought just now, for whom. */
const boughtNow =
  ({ truth }: World) =>
  (event: TruthEvent): { readonly namespace: string; readonly name: string } | undefined => {
    if (event.type !== "CloudChanged") return undefined
    const known = new Set(event.before.map(({ id }) => id))
    const found = truth.cloud.find((each) => !known.has(each.id) && boughtFor(each) !== undefined)
    return found === undefined
      ? undefined
      : { namespace: found.labels["namespace"] ?? "", name: found.labels["service"] ?? "" }
  }

/** And back. The address is the first that the users have bought themselves; another Service may have it. */
const waysOut = [
  [{ type: "ClusterIP" }, { type: "LoadBalancer" }],
  [{ externalIPs: ["198.18.0.1"] }, { externalIPs: null }]
] as const

export const serviceWithdrawn: Fault = {
  name: "service-withdrawn",
  title: "a Service wants no bought address just when one was bought for it, and wants one again later",
  run: (world, random) =>
    every(
      random,
      1_000,
      5_000,
      Effect.gen(function* () {
        const ref = yield* next(world, boughtNow(world))
        if (ref === undefined) return
        const set = (spec: object) => world.kubectl.patch(services, ref, { spec })
        const [other, again] = random.pick(waysOut) ?? [{}, {}]
        yield* brokenBy(world, "service-withdrawn", random.between(100, 20_000), set(other), set(again))
      })
    )
}
