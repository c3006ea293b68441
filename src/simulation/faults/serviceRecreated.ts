/**
 * A Service is deleted and created anew under its name at once: another object, whatever it is called. One that stands
 * already, or one that was created a moment ago and is being given its address.
 */
import { Effect } from "effect"
import { type Service, services } from "../../api/Service.ts"
import { isOperator } from "../../invariants/Actors.ts"
import type { GroundTruth, TruthEvent } from "../../invariants/GroundTruth.ts"
import { every, type Fault, next } from "../Fault.ts"
import { pickService, refOf } from "../Objects.ts"

const created = (event: TruthEvent): Service | undefined =>
  event.type === "Written" && event.kind === "Service" && event.before === undefined ? event.after : undefined

/** Its address is about to be shown. */
const served =
  (services: GroundTruth["services"]) =>
  (event: TruthEvent): Service | undefined =>
    event.type === "Written" && event.kind === "IPAllocation" && isOperator(event.by)
      ? services.get(event.key)
      : undefined

export const serviceRecreated: Fault = {
  name: "service-recreated",
  title: "a Service is deleted and created anew under the same name",
  run: (world, random) =>
    every(
      random,
      1_000,
      15_000,
      Effect.gen(function* () {
        const moment = random.pick([undefined, created, served(world.truth.services)])
        const fresh = moment === undefined ? undefined : yield* next(world, moment)
        if (fresh !== undefined) yield* Effect.sleep(random.between(0, 60))
        const service = fresh ?? pickService(world, random)
        if (service === undefined) return
        const { externalIPs, ports = [] } = service.spec
        const again = {
          apiVersion: "v1",
          kind: "Service",
          metadata: refOf(service),
          spec: { type: "LoadBalancer", ports, ...(externalIPs === undefined ? {} : { externalIPs }) }
        }
        yield* world.kubectl
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
