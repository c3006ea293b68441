/** Somebody edits what is ours to write: the status of a Service or of an IPAllocation. Acknowledgements are not forged. */
import { Effect } from "effect"
import { ipAllocations } from "../../api/IPAllocation.ts"
import { services } from "../../api/Service.ts"
import { every, type Fault } from "../Fault.ts"
import { pickAllocation, pickService, refOf } from "../Objects.ts"

const shown = [[], [{ ip: "203.0.113.66" }], [{ hostname: "lb.example.org" }]]
const reported = [{ addresses: null }, { state: "error", message: "edited" }, { state: null, message: null }]

export const statusEdited: Fault = {
  name: "status-edited",
  title: "a person edits the status of a Service or an IPAllocation",
  run: (world, random) =>
    every(
      random,
      2_000,
      20_000,
      Effect.suspend(() => {
        const service = pickService(world, random)
        const allocation = pickAllocation(world, random)
        if (service === undefined || allocation === undefined) return Effect.void
        const ofService = { status: { loadBalancer: { ingress: random.pick(shown) } } }
        const ofAllocation = { status: random.pick(reported) }
        const edit: Effect.Effect<unknown, unknown> = random.chance(0.5)
          ? world.kubectl.patch(services, refOf(service), ofService, { subresource: "status" })
          : world.kubectl.patch(ipAllocations, refOf(allocation), ofAllocation, { subresource: "status" })
        return edit.pipe(Effect.andThen(Effect.sync(() => world.story.note("status-edited"))), Effect.ignore)
      })
    )
}
