/** Other programs of the project have used up its requests. */
import type { Fault } from "../Fault.ts"
import { onSomeCloudRequests } from "../CloudRequestTrouble.ts"

export const cloudRateLimited: Fault = {
  name: "cloud-rate-limited",
  title: "the project's requests are used up (429)",
  run: onSomeCloudRequests("cloud-rate-limited", () => ({
    fault: { refuse: { code: "rate_limit_exceeded" } }
  }))
}
