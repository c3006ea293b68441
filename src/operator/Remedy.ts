/** What a person can do about a node whose network the operator cannot use, by what failed. Pure; for the log. */
import type { NodeNetworkError } from "../ports/NodeNetwork.ts"

/** errno texts of a machine that has no room, and that of an image without the tool. */
const noRoom = /no space left|cannot allocate|out of memory|resource temporarily unavailable|ENOSPC|ENOMEM|EAGAIN/i
const noTool = /did not start: .*ENOENT|exec: .*: not found/

/** Undefined: the error says all there is. */
export const remedyFor = ({ method, reason }: NodeNetworkError): string | undefined => {
  if (reason._tag === "NotPermitted") return "give the operator's container the capabilities NET_ADMIN and NET_RAW"
  if (reason._tag !== "ToolFailed") return undefined
  if (noRoom.test(reason.message)) return "make room on the node: memory, process ids (pids.max), disk"
  if (noTool.test(reason.message)) return `run the operator from PlenusLB's own image, which has ${reason.tool}`
  if (method !== "fence" || /not understood|did not/.test(reason.message)) return undefined
  return (
    "the node's kernel needs nf_tables with the families inet and arp (modprobe nf_tables), which keep the lease; " +
    "without them failover.kernelLease=false"
  )
}
