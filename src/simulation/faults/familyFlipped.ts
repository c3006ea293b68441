/** A Service asks for IPv6 too, and for IPv4 alone again. */
import { Effect } from "effect"
import { services } from "../../api/Service.ts"
import { brokenBy, every, type Fault } from "../Fault.ts"
import { pickService, refOf } from "../Objects.ts"

export const familyFlipped: Fault = {
  name: "family-flipped",
  title: "a Service becomes dual-stack, and single-stack again",
  run: (world, random) =>
    every(
      random,
      2_000,
      20_000,
      Effect.suspend(() => {
        const service = pickService(world, random)
        if (service === undefined) return Effect.void
        const set = (ipFamilyPolicy: string, ipFamilies: ReadonlyArray<string>) =>
          world.kubectl.patch(services, refOf(service), {
            spec: { ipFamilyPolicy, ipFamilies, ...(ipFamilies.length === 1 && { clusterIPs: null }) }
          })
        return brokenBy(
          world,
          "family-flipped",
          random.between(1, 20_000),
          set("RequireDualStack", ["IPv4", "IPv6"]),
          set("SingleStack", ["IPv4"])
        )
      })
    )
}
