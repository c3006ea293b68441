/** What the plan needs to see of a Service and its IPAllocation, taken from their wire forms. */
import { Result } from "effect"
import {
  acknowledgementsOf,
  dueLabelsOf,
  entriesOf,
  hasLabels,
  type IsFenced,
  intentsOf,
  isOurLabel,
  type Labels,
  listsOf
} from "../api/AllocationEntries.ts"
import type { IPAllocation } from "../api/IPAllocation.ts"
import { finalizer } from "../api/Names.ts"
import { once } from "../api/Once.ts"
import type { LoadBalancerIngress, Service } from "../api/Service.ts"
import * as Address from "../domain/Address.ts"
import type { Entry } from "../domain/Hold.ts"
import type { ObservedAllocation, ObservedService } from "../domain/PlanInput.ts"
import * as ServiceRequest from "../domain/ServiceRequest.ts"
import * as ServiceCondition from "./ServiceCondition.ts"

const ingressOf = (service: Service): ReadonlyArray<LoadBalancerIngress> => service.status?.loadBalancer?.ingress ?? []

const addressOf = (ingress: LoadBalancerIngress): Address.Address | undefined => {
  const parsed = Address.parse(ingress.ip ?? "")
  return Result.isSuccess(parsed) ? parsed.success : undefined
}

export const observeService = (service: Service, rules: ServiceRequest.ClassRules): ObservedService => {
  const ingress = ingressOf(service)
  const shown = ingress.flatMap((each) => addressOf(each) ?? [])
  return {
    uid: service.metadata.uid ?? "",
    ours: ServiceRequest.isOurs(service.spec, rules) && service.metadata.deletionTimestamp === undefined,
    shown,
    // The API server fills in `ipMode: VIP` where it knows the field, so its absence is an older server's.
    shownAsWritten:
      shown.length === ingress.length &&
      ingress.every((each) => each.hostname === undefined && (each.ipMode ?? "VIP") === "VIP"),
    finding: ServiceCondition.read(service)
  }
}

/** The uid of the Service that owns it. */
export const ownerUidOf = (allocation: IPAllocation): string | undefined =>
  allocation.metadata.ownerReferences?.find((owner) => owner.kind === "Service")?.uid

const isWellFormed = (allocation: IPAllocation, entries: ReadonlyArray<Entry>): boolean => {
  const lists = listsOf(entries)
  return (
    ownerUidOf(allocation) !== undefined &&
    (allocation.metadata.finalizers ?? []).includes(finalizer) &&
    (allocation.spec.addressList ?? "") === lists.addressList &&
    (allocation.spec.nodeList ?? "") === lists.nodeList
  )
}

const hasNoOther = (allocation: IPAllocation, wanted: Labels): boolean =>
  Object.keys(allocation.metadata.labels ?? {}).every((label) => !isOurLabel(label) || label in wanted)

const observeContent = once((allocation: IPAllocation): Omit<ObservedAllocation, "isFindable"> => {
  const entries = entriesOf(allocation)
  return {
    uid: allocation.metadata.uid ?? "",
    serviceUid: ownerUidOf(allocation),
    deleting: allocation.metadata.deletionTimestamp !== undefined,
    hasFinalizer: (allocation.metadata.finalizers ?? []).includes(finalizer),
    type: allocation.spec.type,
    entries,
    intents: intentsOf(allocation),
    acknowledgements: acknowledgementsOf(allocation),
    wellFormed: isWellFormed(allocation, entries),
    report: { state: allocation.status?.state ?? "", message: allocation.status?.message ?? "" }
  }
})

export const observeAllocation = (allocation: IPAllocation, isFenced: IsFenced): ObservedAllocation => {
  const content = observeContent(allocation)
  const wanted = dueLabelsOf(allocation, isFenced)
  const isFindable = hasLabels(allocation, wanted)
  return { ...content, isFindable, wellFormed: content.wellFormed && isFindable && hasNoOther(allocation, wanted) }
}
