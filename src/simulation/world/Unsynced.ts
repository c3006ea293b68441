/**
 * An operator that cannot list what it is to hold can neither register nor act, whatever refused it and for as long as it
 * waits before it asks again: until the kernel itself lets go, its node may answer for what another has taken over.
 */
import type { LinkObserver } from "./Links.ts"
import type { Truth } from "./Truth.ts"

const flag = "its operator cannot list"

/** `nodeOf` gives the node of an operator's client; undefined for all others. */
export const hinderUnsynced = (
  truth: Truth,
  nodeOf: (client: string) => string | undefined
): Pick<LinkObserver, "request"> => {
  /** Node and plural of the lists that were refused last, whichever operator of the node asked. */
  const refused = new Set<string>()
  return {
    request: ({ method, plural, user }, { loseReply, refuse }) => {
      const node = method === "list" ? nodeOf(user) : undefined
      if (node === undefined) return
      const key = `${node} ${plural}`
      const isRefused = refuse !== undefined || loseReply === true
      if (isRefused === refused.has(key)) return
      if (isRefused) {
        refused.add(key)
        truth.impair(node, flag)
      } else {
        refused.delete(key)
        truth.relieve(node, flag)
      }
    }
  }
}
