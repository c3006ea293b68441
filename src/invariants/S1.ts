/** S1: at most one node serves an address. */
import type { GroundTruth, Safety, Violation } from "./GroundTruth.ts"

/** What an operator needs, once nothing hinders it, to learn that it was fenced and to let go. */
const graceMillis = 5_000

/**
 * Until the kernel itself lets go when a lease runs out, a holder that a fault keeps from acting or renewing goes on
 * answering after it was fenced. Such a second holder is excused, and counted.
 */
const isExcused = (truth: GroundTruth, node: string): boolean => {
  const record = truth.nodes.get(node)
  if (record?.impairedSince !== undefined) return true
  return record?.impairedUntil !== undefined && truth.nowMillis - record.impairedUntil <= graceMillis
}

const judgeAddress = (truth: GroundTruth, address: string): ReadonlyArray<Violation> => {
  const holders = [...(truth.holders.get(address) ?? [])]
  if (holders.length < 2) return []
  const hindered = holders.filter((node) => isExcused(truth, node))
  const violation = { invariant: "S1", message: `${address} is served by ${holders.join(" and ")}` }
  return [
    hindered.length < holders.length - 1 ? violation : { ...violation, excuse: `hindered: ${hindered.join(", ")}` }
  ]
}

export const S1: Safety = {
  id: "S1",
  title: "at most one node serves an address",
  judge: () => ({
    after: (event, truth) => (event.type === "Held" && event.isHeld ? judgeAddress(truth, event.address) : []),
    whole: (truth) => [...truth.holders.keys()].flatMap((address) => judgeAddress(truth, address))
  })
}
