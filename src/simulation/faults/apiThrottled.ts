/** 429: the API server has too much to do, and says when to come back. */
import { Throttled } from "../../ports/Kubernetes.ts"
import type { Fault } from "../Fault.ts"
import { onSomeRequests } from "../RequestTrouble.ts"

export const apiThrottled: Fault = {
  name: "api-throttled",
  title: "429 with a pause",
  run: onSomeRequests("api-throttled", (_, random) => ({
    delayMillis: 2,
    refuse: new Throttled({ retryAfterMillis: random.pick([100, 1_000, 5_000]) ?? 1_000 })
  }))
}
