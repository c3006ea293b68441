/** A Service becomes ClusterIP and LoadBalancer again. */
import { Effect } from "effect"
import { services } from "../../api/Service.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { pickService, refOf } from "../Objects.ts"

export const typeFlipped: Fault = {
  name: "type-flipped",
  title: "a Service becomes ClusterIP, and LoadBalancer again",
  run: (world, random) =>
    every(
      random,
      1_000,
      15_000,
      Effect.suspend(() => {
        const service = pickService(world, random)
        if (service === undefined) return Effect.void
        const set = (type: string) => world.kubectl.patch(services, refOf(service), { spec: { type } })
        return brokenBy(world, "type-flipped", random.between(1, 10_000), set("ClusterIP"), set("LoadBalancer"))
      })
    )
}
