/** S2: one live claim per address, in canonical form. */
import { Result } from "effect"
import type { IPAllocation } from "../api/IPAllocation.ts"
import * as Address from "../domain/Address.ts"
import type { GroundTruth, Safety, Violation } from "./GroundTruth.ts"

const violation = (message: string): Violation => ({ invariant: "S2", message })

const claimsOf = (allocation: IPAllocation): ReadonlyArray<string> =>
  allocation.spec.allocations.map(({ address }) => address).filter((address) => address !== "")

const isCanonical = (address: string): boolean => {
  const parsed = Address.parse(address)
  return Result.isSuccess(parsed) && parsed.success === address
}

const nameOf = ({ metadata }: IPAllocation) => `${metadata.namespace}/${metadata.name} (uid ${metadata.uid})`

const judgeAll = (truth: GroundTruth, concerned: (address: string) => boolean): ReadonlyArray<Violation> => {
  const claimants = new Map<string, Array<string>>()
  const found: Array<Violation> = []
  for (const allocation of truth.allocations.values()) {
    for (const address of claimsOf(allocation)) {
      if (!concerned(address)) continue
      claimants.set(address, [...(claimants.get(address) ?? []), nameOf(allocation)])
      if (!isCanonical(address))
        found.push(violation(`${nameOf(allocation)} claims ${address}, which is not canonical`))
    }
  }
  for (const [address, names] of claimants) {
    if (names.length > 1) found.push(violation(`${address} is claimed by ${names.join(" and ")}`))
  }
  return found
}

export const S2: Safety = {
  id: "S2",
  title: "one live claim per address, in canonical form",
  judge: () => ({
    after: (event, truth) => {
      if (event.type !== "Written" || event.kind !== "IPAllocation" || event.after === undefined) return []
      const touched = new Set(claimsOf(event.after as IPAllocation))
      return judgeAll(truth, (address) => touched.has(address))
    },
    whole: (truth) => judgeAll(truth, () => true)
  })
}
