/** A Service is deleted and created anew under its name at once: another object, whatever it is called. */
import { Effect } from "effect"
import { services } from "../../api/Service.ts"
import { every, type Fault } from "../Fault.ts"
import { pickService, refOf } from "../Objects.ts"

export const serviceRecreated: Fault = {
  name: "service-recreated",
  title: "a Service is deleted and created anew under the same name",
  run: (world, random) =>
    every(
      random,
      1_000,
      15_000,
      Effect.suspend(() => {
        const service = pickService(world, random)
        if (service === undefined) return Effect.void
        const { externalIPs, ports = [] } = service.spec
        const again = {
          apiVersion: "v1",
          kind: "Service",
          metadata: refOf(service),
          spec: { type: "LoadBalancer", ports, ...(externalIPs === undefined ? {} : { externalIPs }) }
        }
        return world.kubectl
          .delete(services, refOf(service))
          .pipe(
            Effect.andThen(Effect.sleep(random.pick([1, 50, 1_000]) ?? 1)),
            Effect.andThen(world.kubectl.create(services, again)),
            Effect.andThen(Effect.sync(() => world.story.note("service-recreated"))),
            Effect.ignore
          )
      })
    )
}
