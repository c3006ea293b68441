/** EPERM: the operator may look at its kernel and not change it, as without NET_ADMIN. */
import type { Fault } from "../Fault.ts"
import { withBrokenTools } from "./withBrokenTools.ts"

export const toolsNotPermitted: Fault = {
  name: "tools-not-permitted",
  title: "ip and socat fail with EPERM",
  run: withBrokenTools(
    "tools-not-permitted",
    (network) => network.setPermitted(false),
    (network) => network.setPermitted(true)
  )
}
