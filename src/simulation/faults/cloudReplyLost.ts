/** What was bought or routed, and nobody heard of it. */
import type { Fault } from "../Fault.ts"
import { onSomeCloudRequests } from "../CloudRequestTrouble.ts"
import { isCloudWrite } from "../world/CloudSite.ts"

export const cloudReplyLost: Fault = {
  name: "cloud-reply-lost",
  title: "the provider acts, and the reply is lost",
  run: onSomeCloudRequests("cloud-reply-lost", (request) =>
    isCloudWrite(request) ? { fault: { loseReply: true } } : undefined
  )
}
