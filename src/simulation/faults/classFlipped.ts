/** A Service is given to another load balancer, and back: the class changes only by way of another type. */
import { Effect } from "effect"
import { services } from "../../api/Service.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { pickService, refOf } from "../Objects.ts"

export const classFlipped: Fault = {
  name: "class-flipped",
  title: "a Service gets the class of another load balancer, and loses it again",
  run: (world, random) =>
    every(
      random,
      2_000,
      20_000,
      Effect.suspend(() => {
        const service = pickService(world, random)
        if (service === undefined) return Effect.void
        const set = (spec: { readonly [key: string]: unknown }) =>
          world.kubectl
            .patch(services, refOf(service), { spec: { type: "ClusterIP", loadBalancerClass: null } })
            .pipe(Effect.andThen(world.kubectl.patch(services, refOf(service), { spec })))
        return brokenBy(
          world,
          "class-flipped",
          random.between(1, 15_000),
          set({ type: "LoadBalancer", loadBalancerClass: "example.org/other" }),
          set({ type: "LoadBalancer" })
        )
      })
    )
}
