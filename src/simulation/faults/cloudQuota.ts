/** The project may have no more floating IPs, or none again: others of it buy and give back as well. */
import type { Fault } from "../Fault.ts"
import { isPurchase, onSomeCloudRequests } from "../CloudRequestTrouble.ts"

export const cloudQuota: Fault = {
  name: "cloud-quota",
  title: "the project may have no more floating IPs, now and then",
  run: onSomeCloudRequests("cloud-quota", (request) =>
    isPurchase(request) ? { fault: { refuse: { code: "resource_limit_exceeded" } } } : undefined
  )
}
