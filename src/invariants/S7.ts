/**
 * S7: no controller grants an address without our finalizer on the IPAllocation, which leaves it only when no node holds its
 * addresses any more, and a pool only when none of its addresses is granted. Whoever takes it off by force is not asked. Source: PlenusLB v0.4 had none, so a deletion while
 * its controller was down left the address on the node.
 */
import type { IPAllocation } from "../api/IPAllocation.ts"
import type { KubernetesObject } from "../api/KubernetesObject.ts"
import { finalizer } from "../api/Names.ts"
import { isController, isOperator, isOurs } from "./Actors.ts"
import { claimantsOf, claimsOf, isDeleting, nameOf } from "./Claims.ts"
import type { GroundTruth, Safety, Violation, Written } from "./GroundTruth.ts"
import { excuseOf } from "./Hindered.ts"

type AllocationWritten = Extract<Written, { readonly kind: "IPAllocation" }>

const has = (object: KubernetesObject | undefined): boolean => object?.metadata.finalizers?.includes(finalizer) ?? false

/** Nodes that an operator of ours made hold the address, and that no other IPAllocation lets hold it. */
const leftHolding = (truth: GroundTruth, gone: IPAllocation, address: string): ReadonlyArray<string> => {
  const others = claimantsOf(truth, address).filter(({ metadata }) => metadata.uid !== gone.metadata.uid)
  const named = others.flatMap((other) => claimsOf(other).filter((claim) => claim.address === address))
  return [...truth.nodes.values()]
    .filter(({ held, putBy }) => held.has(address) && isOperator(putBy.get(address) ?? ""))
    .map(({ name }) => name)
    .filter(
      (name) =>
        !named.some(({ nodeName, previous }) => nodeName === name || previous?.some(({ node }) => node === name))
    )
}

const judgeAllocation = (truth: GroundTruth, allocation: IPAllocation): ReadonlyArray<Violation> =>
  claimsOf(allocation).flatMap(({ address }) => {
    const nodes = leftHolding(truth, allocation, address)
    const message = `${nameOf(allocation)} lost its finalizer while ${address} was still on ${nodes.join(" and ")}`
    return nodes.length === 0 ? [] : [{ invariant: "S7", message, ...excuseOf(truth, nodes) }]
  })

const judgePool = (truth: GroundTruth, key: string, name: string): ReadonlyArray<Violation> => {
  const user = [...truth.allocations.values()].find((each) => claimsOf(each).some(({ pool }) => pool === name))
  return user === undefined
    ? []
    : [{ invariant: "S7", message: `${key} lost its finalizer while ${nameOf(user)} had an address of it` }]
}

/** Each write of what is granted carries the finalizer, also where somebody has just taken it off. */
const judgeGrant = ({ after, before, by }: AllocationWritten): ReadonlyArray<Violation> => {
  if (after === undefined || has(after) || isDeleting(after) || !isController(by)) return []
  const isGrant = before?.metadata.generation !== after.metadata.generation && claimsOf(after).length > 0
  return isGrant
    ? [{ invariant: "S7", message: `${by} granted addresses to ${nameOf(after)} without a finalizer` }]
    : []
}

export const S7: Safety = {
  id: "S7",
  title: "no finalizer is removed before the effects are gone",
  judge: () => ({
    after: (event, truth) => {
      if (event.type !== "Written" || !isOurs(event.by)) return []
      if (event.kind === "IPAllocation") {
        const { after, before } = event
        const isLost = before !== undefined && has(before) && !has(after)
        return [...judgeGrant(event), ...(isLost ? judgeAllocation(truth, before) : [])]
      }
      if (event.kind !== "Pool" || event.before === undefined || !has(event.before) || has(event.after)) return []
      return judgePool(truth, event.key, event.before.metadata.name)
    },
    whole: () => []
  })
}
