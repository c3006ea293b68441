/**
 * An operator that cannot list what it is to hold can neither register nor act, whatever refused or delays it and for as
 * long as it waits before it asks again: until the kernel itself lets go, its node may answer for what another has taken over.
 */
import { nodeLabel } from "../../api/Names.ts"
import type { LinkObserver } from "./Links.ts"
import type { Truth } from "./Truth.ts"

const flag = "its operator cannot list"
/** An answer that takes longer comes too late for who is to renew every second. */
const lateMillis = 1_000

/** `nodeOf` gives the node of an operator's client; undefined for all others. */
export const hinderUnsynced = (
  truth: Pick<Truth, "impair" | "relieve">,
  nodeOf: (client: string) => string | undefined
): Pick<LinkObserver, "request"> => {
  /** Node and plural of the lists that were refused last or are late, whichever operator of the node asked. */
  const lacking = new Set<string>()
  return {
    request: (
      { labelSelector, method, plural, user },
      { delayMillis = 0, loseReply, refuse, replyDelayMillis = 0 }
    ) => {
      const node = nodeOf(user)
      if (node === undefined || (method !== "list" && method !== "watch")) return
      // It lists the claims of one address, too, once, and does not watch them.
      if (labelSelector !== undefined && labelSelector !== nodeLabel(node)) return
      const isLate = delayMillis + replyDelayMillis > lateMillis
      // It watches what it has listed.
      const isLacking = method === "list" && (refuse !== undefined || loseReply === true || isLate)
      const key = `${node} ${plural}`
      if (isLacking === lacking.has(key)) return
      if (isLacking) {
        lacking.add(key)
        truth.impair(node, flag)
      } else {
        lacking.delete(key)
        truth.relieve(node, flag)
      }
    }
  }
}
