/**
 * S15: what a node serves changes by no accident. An operator takes off no address of which it has said that it serves it,
 * for as long as the same grant stands, its registration is in force and its node is not shut down; where a provider routes,
 * also while it is named as who serves on until the route has moved, or packets would find nobody meanwhile. And it says so of
 * none that it has not announced
 * since it put it there, if clients can reach it: or they would go on asking the node before.
 */
import type { Allocation, IPAllocation } from "../api/IPAllocation.ts"
import { isOperator } from "./Actors.ts"
import { claimsOf, nameOf } from "./Claims.ts"
import type { GroundTruth, Safety, TruthEvent, Violation } from "./GroundTruth.ts"
import { fencedOf, holdIdOf } from "./Registrations.ts"

/** How long a report may be under way, and the announcement after it take. */
const reportMillis = 5_000

type Placed = Extract<TruthEvent, { readonly type: "Placed" }>

const isInForce = ({ leases }: GroundTruth, node: string, holdId: string): boolean =>
  [...leases.values()].some((lease) => {
    const registered = holdIdOf(lease)
    return registered?.node === node && registered.holdId === holdId && fencedOf(lease) !== holdId
  })

const servingHoldersOf = ({ cloudProvider, epoch, holdId, nodeName, previous = [] }: Allocation) =>
  nodeName === undefined
    ? []
    : [
        ...(holdId === undefined ? [] : [{ node: nodeName, holdId, epoch }]),
        ...(cloudProvider === undefined ? [] : previous)
      ]

const isServed = (
  { metadata, spec, status }: IPAllocation,
  { address, interfaceName, node }: Placed,
  truth: GroundTruth
) =>
  metadata.deletionTimestamp === undefined &&
  spec.allocations
    .filter((claim) => claim.address === address && claim.networkInterface === interfaceName)
    .flatMap(servingHoldersOf)
    .some(
      (holder) =>
        holder.node === node &&
        isInForce(truth, node, holder.holdId) &&
        (status?.addresses ?? []).some(
          (each) =>
            each.address === address &&
            each.node === node &&
            each.holdId === holder.holdId &&
            each.epoch === holder.epoch &&
            each.phase === "Serving"
        )
    )

const judgeRemoval = (event: Placed, truth: GroundTruth): ReadonlyArray<Violation> => {
  if (event.isPresent || !isOperator(event.by) || truth.nodes.get(event.node)?.isShuttingDown === true) return []
  const served = [...truth.allocations.values()].find((each) => isServed(each, event, truth))
  if (served === undefined) return []
  return [{ invariant: "S15", message: `${event.by} took off ${event.address}, which it serves for ${nameOf(served)}` }]
}

/** Of a former holder, and of what is being deleted, the word only says that the address still lies there. */
const servingOf = (allocation: IPAllocation | undefined): ReadonlyMap<string, { address: string; node: string }> => {
  const isGoing = allocation?.metadata.deletionTimestamp !== undefined
  const claims = allocation === undefined || isGoing ? [] : claimsOf(allocation)
  // What a provider routes nobody asks for on the segment.
  const announced = claims.filter(({ cloudProvider }) => cloudProvider === undefined)
  const holders = new Set(announced.map((each) => `${each.address} ${each.nodeName} ${each.holdId} ${each.epoch}`))
  return new Map(
    (allocation?.status?.addresses ?? []).flatMap(({ address, epoch, holdId, node, phase }) => {
      const key = `${address} ${node} ${holdId} ${epoch}`
      return phase === "Serving" && holders.has(key) ? [[key, { address, node }] as const] : []
    })
  )
}

export const S15: Safety = {
  id: "S15",
  title: "what is served stays where it is, and was announced",
  judge: () => {
    /** Node and address of what was announced since an operator put it there. */
    const announced = new Set<string>()
    /** By node, when it was last heard again on the segment: what it reported before may arrive afterwards. */
    const returnedMillis = new Map<string, number>()
    const isBack = (node: string, nowMillis: number) =>
      nowMillis - (returnedMillis.get(node) ?? Number.NEGATIVE_INFINITY) > reportMillis
    const judgeReport = (
      { after, before }: { readonly after: IPAllocation | undefined; readonly before: IPAllocation | undefined },
      truth: GroundTruth
    ): ReadonlyArray<Violation> => {
      const old = servingOf(before)
      return [...servingOf(after)].flatMap(([key, { address, node }]) => {
        const isByOperator = isOperator(truth.nodes.get(node)?.putBy.get(address) ?? "")
        const isAnswered = truth.holders.get(address)?.has(node) === true
        const mustHave = isByOperator && isAnswered && isBack(node, truth.nowMillis)
        if (old.has(key) || !mustHave || announced.has(`${node} ${address}`)) return []
        const message = `${node} says that it serves ${address}, which it has not announced`
        return [{ invariant: "S15", message }]
      })
    }
    return {
      after: (event, truth) => {
        if (event.type === "Held" && event.isHeld && !isOperator(event.by))
          returnedMillis.set(event.node, truth.nowMillis)
        if (event.type === "Announced") announced.add(`${event.node} ${event.address}`)
        if (event.type === "Placed") {
          if (event.isPresent && isOperator(event.by)) announced.delete(`${event.node} ${event.address}`)
          return judgeRemoval(event, truth)
        }
        if (event.type !== "Written" || event.kind !== "IPAllocation" || !isOperator(event.by)) return []
        return judgeReport(event, truth)
      },
      whole: () => []
    }
  }
}
