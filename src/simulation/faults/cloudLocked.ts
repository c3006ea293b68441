/** Somebody else is at work on it, or on its server. */
import type { Fault } from "../Fault.ts"
import { isAction, onSomeCloudRequests } from "../CloudRequestTrouble.ts"

export const cloudLocked: Fault = {
  name: "cloud-locked",
  title: "the provider works on the address or its server (423)",
  run: onSomeCloudRequests("cloud-locked", (request) =>
    isAction(request) ? { fault: { refuse: { code: "locked" } } } : undefined
  )
}
