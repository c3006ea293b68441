/** S8: the epoch of an address never falls, and rises with each change of its holder. */
import type { Allocation, IPAllocation } from "../api/IPAllocation.ts"
import type { Safety, Violation } from "./GroundTruth.ts"

const compare = (name: string, before: Allocation, after: Allocation): ReadonlyArray<Violation> => {
  const [old, next] = [before.epoch ?? 0, after.epoch ?? 0]
  const isSameHolder = before.nodeName === after.nodeName && before.holdId === after.holdId
  const wrong =
    next < old
      ? `fell from ${old} to ${next}`
      : next === old && !isSameHolder && before.holdId !== undefined
        ? `stayed ${old} while the holder changed from ${before.nodeName} to ${after.nodeName}`
        : undefined
  return wrong === undefined ? [] : [{ invariant: "S8", message: `${name}: the epoch of ${after.address} ${wrong}` }]
}

export const S8: Safety = {
  id: "S8",
  title: "epochs are monotone",
  judge: () => ({
    after: (event) => {
      if (event.type !== "Written" || event.kind !== "IPAllocation") return []
      const [before, after] = [event.before as IPAllocation | undefined, event.after as IPAllocation | undefined]
      if (before === undefined || after === undefined) return []
      return after.spec.allocations.flatMap((allocation) => {
        const previous = before.spec.allocations.find(({ address }) => address === allocation.address)
        return previous === undefined ? [] : compare(event.key, previous, allocation)
      })
    },
    whole: () => []
  })
}
