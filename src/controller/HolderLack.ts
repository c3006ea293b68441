/** What a Service lacks because of the node that its IPAllocation names, while nothing proves that this one has let go. */
import * as Hold from "../domain/Hold.ts"
import type { Lack } from "../domain/PlanInput.ts"
import type { NodeBook } from "./NodeBook.ts"

/** An id of a later or foreign registration: nothing proves that the holder is fenced, and it does not serve (R1). */
export const unrecognised = (entries: ReadonlyArray<Hold.Entry>, nodeBook: NodeBook): Lack | undefined => {
  for (const entry of entries) {
    const holder = entry.interfaceName === undefined ? undefined : Hold.holderOf(entry)
    const message = holder === undefined ? undefined : nodeBook.unrecognised(holder)
    if (message !== undefined) return { reason: "HolderNotRecognised", message: `${entry.address}: ${message}` }
  }
  return undefined
}

/** Its node is silent, and may go on serving by the word of its voters: it is not moved before enough of them say no. */
export const awaitsPromises = (entries: ReadonlyArray<Hold.Entry>, nodeBook: NodeBook): Lack | undefined => {
  for (const { address, holdId, interfaceName, node = "" } of entries) {
    const awaited = interfaceName === undefined ? undefined : nodeBook.awaited.get(node)
    if (awaited === undefined || awaited.holdId !== holdId) continue
    const { neededCount, promisedCount, votersCount } = awaited
    const why =
      votersCount === 1
        ? "it knew of no other node that could say whether it keeps it up."
        : `of its ${votersCount} voters, itself included, ${neededCount} others must say that they do not keep it up, ` +
          `and ${promisedCount} did.`
    return {
      reason: "TakeoverAwaitsVoters",
      message:
        `${address} stays on ${node}, which is silent: ${why} It may still serve, so nothing is moved. ` +
        `Once it is off: kubectl taint node ${node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute`
    }
  }
  return undefined
}

/** Whether a foreign machine answers for it, as who is to hold it says. */
export const inUseAmong =
  (entries: ReadonlyArray<Hold.Entry>, acknowledgements: ReadonlyArray<Hold.Acknowledgement>) =>
  ({ address }: Pick<Hold.Entry, "address">): boolean =>
    entries.some((each) => each.address === address && Hold.foreignMacOf(each, acknowledgements) !== undefined)

/**
 * A machine that is none of the cluster's answers for an address that the Service was to use for the first time. One that it
 * did not ask for is replaced.
 */
export const inUse = (
  key: string,
  present: ReadonlyArray<Hold.Entry>,
  wanted: ReadonlyArray<Hold.Entry>,
  acknowledgements: ReadonlyArray<Hold.Acknowledgement>
): Lack | undefined => {
  for (const entry of present) {
    const mac = Hold.foreignMacOf(entry, acknowledgements)
    if (mac === undefined) continue
    const isKept = wanted.some(({ address }) => address === entry.address)
    const next = isKept ? "It is asked again every 10 s." : "Another address is tried instead."
    return {
      reason: "AddressInUse",
      message:
        `${key} waits: a machine that is no node of this cluster answers for ${entry.address}. Its hardware address is ` +
        `${mac}, seen from ${entry.node ?? "its node"}. Take the address from that machine, or out of the pool. ${next}`
    }
  }
  return undefined
}

/** What v0.4 put on a node, which no operator of ours has taken over. */
export const isLeftOnNode = (entry: Hold.Entry): entry is Hold.Entry & { readonly node: string } =>
  entry.interfaceName !== undefined && entry.node !== undefined && entry.holdId === undefined

/**
 * v0.4 never lets go, and a machine whose Node was deleted may run and answer: no lease of it was ever seen that could be
 * counted and fenced, so only a person knows (failover, "fast paths").
 */
export const abandoned = (
  entries: ReadonlyArray<Hold.Entry>,
  exists: (node: string) => boolean,
  key: string
): Lack | undefined => {
  const found = entries.filter(isLeftOnNode).find(({ node }) => !exists(node))
  if (found === undefined) return undefined
  const [namespace = "", name = ""] = key.split("/")
  return {
    reason: "HolderGone",
    message:
      `${key} waits: v0.4 put ${found.address} on ${found.node}, and that Node does not exist any more. Its machine may ` +
      "still answer for the address, so nothing is moved. Once it is off for good, delete the IPAllocation, which is " +
      `then made anew on another node: kubectl delete ipallocation -n ${namespace} ${name}`
  }
}
