/** The provider has changed the same thing in the same moment, and does nothing. */
import { isCloudWrite } from "../world/CloudSite.ts"
import type { Fault } from "../Fault.ts"
import { onSomeCloudRequests } from "../CloudRequestTrouble.ts"

export const cloudConflict: Fault = {
  name: "cloud-conflict",
  title: "the provider refuses a write for another one (409)",
  run: onSomeCloudRequests("cloud-conflict", (request) =>
    isCloudWrite(request) ? { fault: { refuse: { code: "conflict" } } } : undefined
  )
}
