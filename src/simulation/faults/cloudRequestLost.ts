/** A broken connection before the provider has heard anything. */
import type { Fault } from "../Fault.ts"
import { onSomeCloudRequests } from "../CloudRequestTrouble.ts"

export const cloudRequestLost: Fault = {
  name: "cloud-request-lost",
  title: "a request to the provider is lost on its way",
  run: onSomeCloudRequests("cloud-request-lost", (_, random) => ({
    delayMillis: random.between(10, 3_000),
    isLost: true
  }))
}
