/** 409 for a write although nobody else wrote, as when the server retried it against its own first attempt. */
import { Conflict } from "../../ports/Kubernetes.ts"
import type { Fault } from "../Fault.ts"
import { isWrite, onSomeRequests } from "../RequestTrouble.ts"

export const apiConflict: Fault = {
  name: "api-conflict",
  title: "409 for a write",
  run: onSomeRequests("api-conflict", (request) =>
    isWrite(request) && request.method !== "create"
      ? { delayMillis: 2, refuse: new Conflict({ message: "the object has been modified" }) }
      : undefined
  )
}
