/** The API server, or the way to it, takes its time for some requests. */
import type { Fault } from "../Fault.ts"
import { onSomeRequests } from "../RequestTrouble.ts"

export const apiSlow: Fault = {
  name: "api-slow",
  title: "some requests and their replies take up to three seconds",
  run: onSomeRequests("api-slow", (_, random) => ({
    delayMillis: random.between(1, random.pick([300, 1_500]) ?? 300),
    replyDelayMillis: random.between(1, random.pick([300, 1_500]) ?? 300)
  }))
}
