/** Accepted, and then it fails, nobody can read it, or it says that it is done and is not. */
import type { Fault } from "../Fault.ts"
import { isAction, onSomeCloudRequests } from "../CloudRequestTrouble.ts"

export const cloudActionFailed: Fault = {
  name: "cloud-action-failed",
  title: "an action fails, vanishes, or changes nothing",
  run: onSomeCloudRequests("cloud-action-failed", (request, random) => {
    const action = random.pick([{ status: "error" }, { vanishes: true }, { isMute: true }] as const)
    return isAction(request) && action !== undefined ? { fault: { action } } : undefined
  })
}
