/** The provider's reads come from a copy that is behind its writes, in its lists as by id; actions are always told as they are. */
import { readLagMillis } from "../../ports/Cloud.ts"
import type { Fault } from "../Fault.ts"
import { onSomeCloudRequests } from "../CloudRequestTrouble.ts"

export const cloudReadsLag: Fault = {
  name: "cloud-reads-lag",
  title: "the provider's reads show what was a few seconds before",
  run: onSomeCloudRequests("cloud-reads-lag", ({ method }, random) =>
    method === "GET" ? { fault: { staleMillis: random.between(1, readLagMillis - 1) } } : undefined
  )
}
