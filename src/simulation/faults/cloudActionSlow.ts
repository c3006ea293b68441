/** Accepted at once, done much later. */
import type { Fault } from "../Fault.ts"
import { isAction, onSomeCloudRequests } from "../CloudRequestTrouble.ts"

export const cloudActionSlow: Fault = {
  name: "cloud-action-slow",
  title: "an action takes long",
  run: onSomeCloudRequests("cloud-action-slow", (request, random) =>
    isAction(request) ? { fault: { action: { millis: random.between(2_000, 20_000) } } } : undefined
  )
}
