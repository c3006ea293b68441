/**
 * L3: what was deleted is gone: no IPAllocation without its Service, no address on a node that nobody granted to it, no
 * finalizer of ours that keeps an object. Source: PlenusLB v0.4 left all three.
 */
import { finalizer } from "../api/Names.ts"
import { isOperator } from "./Actors.ts"
import { claimantsOf, claimsOf, isDeleting, keyOf, nameOf, ownerUidOf } from "./Claims.ts"
import { awaitsSweep, boughtFor, holderOf, labelledFor } from "./Clouds.ts"
import type { GroundTruth, Liveness, NodeTruth, Violation } from "./GroundTruth.ts"
import { isHindered } from "./Hindered.ts"
import { isOurs } from "./Wishes.ts"

const violation = (message: string, about?: string, awaitsCloud = false): Violation => ({
  invariant: "L3",
  message,
  awaitsCloud,
  ...(about === undefined ? {} : { about })
})

const leftAllocations = (truth: GroundTruth): ReadonlyArray<Violation> =>
  [...truth.allocations.values()].flatMap((allocation) => {
    const key = keyOf(allocation)
    const service = truth.services.get(key)
    const isOfCloud = allocation.spec.allocations.some(({ cloudProvider }) => cloudProvider !== undefined)
    if (isDeleting(allocation)) {
      return [violation(`${nameOf(allocation)} is being deleted and still there`, key, isOfCloud)]
    }
    if (service === undefined || !isOurs(service)) {
      return [violation(`${nameOf(allocation)} has no Service any more`, key, isOfCloud)]
    }
    const isOfThis = ownerUidOf(allocation) === service.metadata.uid
    return isOfThis ? [] : [violation(`${nameOf(allocation)} is of another Service than the one of its name`, key)]
  })

const leftOnNode = (truth: GroundTruth, { held, name, putBy }: NodeTruth): ReadonlyArray<Violation> =>
  [...held.keys()].flatMap((address) => {
    if (!isOperator(putBy.get(address) ?? "")) return []
    const claims = claimantsOf(truth, address).flatMap(claimsOf)
    const own = claims.filter((claim) => claim.address === address)
    if (own.some(({ nodeName }) => nodeName === name)) return []
    // It may have to serve on until the route has moved.
    const isOfCloud = own.some(({ cloudProvider }) => cloudProvider !== undefined)
    return [violation(`${name} still holds ${address}, which nobody assigned to it`, undefined, isOfCloud)]
  })

const leftPools = (truth: GroundTruth): ReadonlyArray<Violation> =>
  [...truth.pools].flatMap(([key, { metadata }]) => {
    const isUsed = [...truth.allocations.values()].some((each) =>
      claimsOf(each).some(({ pool }) => pool === metadata.name)
    )
    return metadata.deletionTimestamp === undefined || isUsed
      ? []
      : [violation(`${key} is deleted, unused, and there`, key)]
  })

/** What goes back to its user is not ours any more, at once or by the sweep. (What was bought, S5 judges.) */
const leftInCloud = (truth: GroundTruth): ReadonlyArray<Violation> =>
  truth.cloud.flatMap((found) => {
    const uid = boughtFor(found) === undefined ? labelledFor(found) : undefined
    return uid === undefined || holderOf(truth, uid) !== undefined || awaitsSweep(truth, uid)
      ? []
      : [
          violation(
            `${found.network} is still labelled for ${found.labels["service"] ?? "a Service"}, which is gone`,
            undefined,
            true
          )
        ]
  })

export const L3: Liveness = {
  id: "L3",
  title: "everything deleted is gone, no stuck finalizer",
  unmet: (truth) => [
    ...leftAllocations(truth),
    ...[...truth.nodes.values()]
      .filter(({ isOn, name }) => isOn && !isHindered(truth, name))
      .flatMap((node) => leftOnNode(truth, node)),
    ...leftPools(truth),
    ...leftInCloud(truth),
    ...[...truth.services.values()]
      .filter(({ metadata }) => metadata.finalizers?.includes(finalizer))
      .map((service) => violation(`Service ${keyOf(service)} carries our finalizer`, keyOf(service)))
  ]
}
