/** What stands before the API answers for it. */
import type { Fault } from "../Fault.ts"
import { onSomeCloudRequests } from "../CloudRequestTrouble.ts"

export const cloudBadGateway: Fault = {
  name: "cloud-bad-gateway",
  title: "502 with HTML, before or after the provider acted",
  run: onSomeCloudRequests("cloud-bad-gateway", (_, random) => ({
    fault: { badGateway: random.chance(0.5) ? "before" : "after" }
  }))
}
