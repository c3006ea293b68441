/** ENOSPC: no child process starts any more. The operator can neither see nor change its kernel. */
import type { Fault } from "../Fault.ts"
import { withBrokenTools } from "./withBrokenTools.ts"

export const toolsNoSpace: Fault = {
  name: "tools-no-space",
  title: "ip and socat fail with ENOSPC",
  run: withBrokenTools(
    "tools-no-space",
    (network) => network.setToolFailure("No space left on device"),
    (network) => network.setToolFailure(undefined)
  )
}
