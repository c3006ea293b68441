/** A request, or the connection that carries it, is lost before the API server acts. */
import { Unavailable } from "../../ports/Kubernetes.ts"
import type { Fault } from "../Fault.ts"
import { noAnswer, onSomeRequests } from "../RequestTrouble.ts"

export const requestLost: Fault = {
  name: "request-lost",
  title: "a request is lost before the API server acts",
  run: onSomeRequests("request-lost", (request, random) => ({
    delayMillis: random.between(1, 800),
    refuse: random.chance(0.5)
      ? noAnswer(request, "the connection closed before the answer")
      : new Unavailable({ message: "connection refused" })
  }))
}
