/** 500, 503 and 504: nothing was done, but of a write only a 503 says so. */
import { Unavailable } from "../../ports/Kubernetes.ts"
import type { Fault } from "../Fault.ts"
import { noAnswer, onSomeRequests } from "../RequestTrouble.ts"

export const apiErrors: Fault = {
  name: "api-errors",
  title: "500, 503 and 504 for single requests",
  run: onSomeRequests("api-errors", (request, random) => {
    const status = random.pick([500, 503, 504]) ?? 503
    const message = `status ${status}`
    return {
      delayMillis: status === 504 ? 500 : 5,
      refuse: status === 503 ? new Unavailable({ message }) : noAnswer(request, message)
    }
  })
}
