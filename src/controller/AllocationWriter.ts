/** The writes of one Service's plan, each one external effect. What is written follows from the change alone. */
import { Effect } from "effect"
import {
  acknowledgementsOf,
  entriesOf,
  hasLabels,
  isOurLabel,
  labelsOf,
  listsOf,
  wireOf
} from "../api/AllocationEntries.ts"
import type { IPAllocation } from "../api/IPAllocation.ts"
import { ipAllocations } from "../api/IPAllocation.ts"
import type { ObjectRef, OwnerReference } from "../api/KubernetesObject.ts"
import { apiVersion, controllerFieldManager, finalizer } from "../api/Names.ts"
import type { Service } from "../api/Service.ts"
import { services } from "../api/Service.ts"
import type { Address } from "../domain/Address.ts"
import type { Entry } from "../domain/Hold.ts"
import type { AllocationType, Report } from "../domain/Plan.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"

const ownedBy = (service: Service): OwnerReference => ({
  apiVersion: "v1",
  kind: "Service",
  name: service.metadata.name,
  uid: service.metadata.uid ?? "",
  controller: true,
  blockOwnerDeletion: false
})

const specOf = (type: AllocationType, entries: ReadonlyArray<Entry>) => ({
  type,
  allocations: entries.map(wireOf),
  ...listsOf(entries)
})

export const create = (service: Service, type: AllocationType, entries: ReadonlyArray<Entry>) =>
  Kubernetes.use((kubernetes) =>
    kubernetes.create(ipAllocations, {
      apiVersion,
      kind: "IPAllocation",
      metadata: {
        name: service.metadata.name,
        namespace: service.metadata.namespace,
        labels: labelsOf(entries, []),
        finalizers: [finalizer],
        ownerReferences: [ownedBy(service)]
      },
      spec: specOf(type, entries)
    })
  )

const refOf = (object: { readonly metadata: ObjectRef }): ObjectRef => ({
  namespace: object.metadata.namespace,
  name: object.metadata.name
})

/** Labels of ours that are not wanted any more are removed by name; everybody else's stay. */
const labelPatch = (allocation: IPAllocation, entries: ReadonlyArray<Entry>) => {
  const wanted = labelsOf(entries, acknowledgementsOf(allocation))
  const stale = Object.keys(allocation.metadata.labels ?? {}).filter((label) => isOurLabel(label) && !(label in wanted))
  return { ...wanted, ...Object.fromEntries(stale.map((label) => [label, null])) }
}

const withFinalizer = ({ metadata: { finalizers = [] } }: IPAllocation): ReadonlyArray<string> => [
  ...finalizers.filter((each) => each !== finalizer),
  finalizer
]

/** Compare-and-set by resourceVersion: what another replica wrote meanwhile is never overwritten. */
export const assign = (
  service: Service,
  allocation: IPAllocation,
  type: AllocationType,
  entries: ReadonlyArray<Entry>
) => {
  const foreignOwners = (allocation.metadata.ownerReferences ?? []).filter((owner) => owner.kind !== "Service")
  return Kubernetes.use((kubernetes) =>
    kubernetes.patch(ipAllocations, refOf(allocation), {
      metadata: {
        resourceVersion: allocation.metadata.resourceVersion,
        labels: labelPatch(allocation, entries),
        finalizers: withFinalizer(allocation),
        ownerReferences: [...foreignOwners, ownedBy(service)]
      },
      spec: specOf(type, entries)
    })
  )
}

/** Only on the Service as it was read: it may be of another class by now, and its status another controller's. */
export const show = (service: Service, addresses: ReadonlyArray<Address>) =>
  Kubernetes.use((kubernetes) =>
    kubernetes.patch(
      services,
      refOf(service),
      {
        metadata: { uid: service.metadata.uid, resourceVersion: service.metadata.resourceVersion },
        status: { loadBalancer: { ingress: addresses.map((ip) => ({ ip, ipMode: "VIP" })) } }
      },
      { subresource: "status" }
    )
  )

/**
 * One whose finalizer somebody took off would be gone at once, and its addresses free, while their holders answer; and by
 * its labels the holders find it.
 */
const isProtected = (allocation: IPAllocation): boolean => {
  const { deletionTimestamp, finalizers = [] } = allocation.metadata
  const wanted = labelsOf(entriesOf(allocation), acknowledgementsOf(allocation))
  return deletionTimestamp !== undefined || (finalizers.includes(finalizer) && hasLabels(allocation, wanted))
}

const protect = (allocation: IPAllocation) =>
  isProtected(allocation)
    ? Effect.succeed(allocation)
    : Kubernetes.use((kubernetes) =>
        kubernetes.patch(ipAllocations, refOf(allocation), {
          metadata: {
            resourceVersion: allocation.metadata.resourceVersion,
            labels: labelPatch(allocation, entriesOf(allocation)),
            finalizers: withFinalizer(allocation)
          }
        })
      )

/** Deletes the very version that carries our finalizer. */
export const remove = Effect.fnUntraced(
  function* (allocation: IPAllocation) {
    const kubernetes = yield* Kubernetes
    const { metadata } = yield* protect(allocation)
    const { resourceVersion, uid } = metadata
    yield* kubernetes.delete(ipAllocations, refOf(allocation), { uid, resourceVersion })
  },
  Effect.catchIf(
    ({ isGone }) => isGone,
    () => Effect.void
  )
)

export const label = (allocation: IPAllocation) =>
  Kubernetes.use((kubernetes) =>
    kubernetes.patch(ipAllocations, refOf(allocation), {
      metadata: {
        resourceVersion: allocation.metadata.resourceVersion,
        labels: labelPatch(allocation, entriesOf(allocation))
      }
    })
  )

export const finalize = (allocation: IPAllocation) =>
  Kubernetes.use((kubernetes) =>
    kubernetes.patch(ipAllocations, refOf(allocation), {
      metadata: {
        resourceVersion: allocation.metadata.resourceVersion,
        finalizers: (allocation.metadata.finalizers ?? []).filter((each) => each !== finalizer)
      }
    })
  )

export const report = (allocation: IPAllocation, { message, state }: Report) =>
  Kubernetes.use((kubernetes) =>
    kubernetes.apply<IPAllocation>(
      ipAllocations,
      {
        apiVersion,
        kind: "IPAllocation",
        metadata: {
          ...refOf(allocation),
          uid: allocation.metadata.uid,
          resourceVersion: allocation.metadata.resourceVersion
        },
        status: { state, message }
      },
      { fieldManager: controllerFieldManager, force: true, subresource: "status" }
    )
  )
