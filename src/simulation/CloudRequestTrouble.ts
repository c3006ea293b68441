/** Faults that befall single requests to the provider. */
import type { HttpRequest } from "../ports/HttpExchange.ts"
import { type Fault, throughout } from "./Fault.ts"
import type { Prng } from "./kernel/Prng.ts"
import type { CloudTrouble } from "./world/CloudSite.ts"

/** There are few requests: often enough to be met, rarely enough that most operations end. */
const probabilities = [0.1, 0.5]

export const isAction = ({ method, url }: HttpRequest): boolean => method === "POST" && url.includes("/actions/")

export const isPurchase = ({ method, url }: HttpRequest): boolean => method === "POST" && url.endsWith("/floating_ips")

/** Each request may meet it; undefined: not this one. */
export const onSomeCloudRequests =
  (flag: string, befalls: (request: HttpRequest, random: Prng) => CloudTrouble | undefined): Fault["run"] =>
  ({ cloud, story }, random) => {
    const probability = random.pick(probabilities) ?? 0
    return throughout(
      () =>
        cloud.faults.set(flag, (_, request, draws) => {
          const trouble = draws.chance(probability) ? befalls(request, draws) : undefined
          if (trouble !== undefined) story.note(flag)
          return trouble
        }),
      () => cloud.faults.delete(flag)
    )
  }
