/** L1: what can be served is served: granted, live on one healthy node, shown, and reached by a client. */
import type { IPAllocation } from "../api/IPAllocation.ts"
import type { GroundTruth, Liveness, Violation } from "./GroundTruth.ts"

const lackOf = (truth: GroundTruth, allocation: IPAllocation, address: string): string | undefined => {
  const holders = truth.holders.get(address)?.size ?? 0
  if (holders !== 1) return `is on ${holders} nodes`
  if (truth.answeredBy(address) === undefined)
    return "does not answer a client, whose neighbour table knows another node"
  const service = truth.services.get(`${allocation.metadata.namespace}/${allocation.metadata.name}`)
  const shown = service?.status?.loadBalancer?.ingress ?? []
  return shown.some(({ ip }) => ip === address) ? undefined : "is not in the status of the Service"
}

const unmetOf = (truth: GroundTruth, key: string, allocation: IPAllocation): ReadonlyArray<Violation> => {
  if (allocation.metadata.deletionTimestamp !== undefined) return []
  return allocation.spec.allocations.flatMap(({ address, networkInterface }) => {
    const lack = networkInterface === undefined || address === "" ? undefined : lackOf(truth, allocation, address)
    return lack === undefined ? [] : [{ invariant: "L1", message: `${key}: ${address} ${lack}` }]
  })
}

export const L1: Liveness = {
  id: "L1",
  title: "what is granted is live on one healthy node and shown",
  withinMillis: 20_000,
  unmet: (truth) => [...truth.allocations].flatMap(([key, allocation]) => unmetOf(truth, key, allocation))
}
