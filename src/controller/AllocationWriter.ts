/** The writes of one Service's plan, each one external effect. What is written follows from the change alone. */
import { Effect } from "effect"
import {
  acknowledgementsOf,
  dueLabelsOf,
  entriesOf,
  hasLabels,
  type IsFenced,
  isOurLabel,
  labelsOf,
  listsOf,
  wireOf,
  wireOfIntent
} from "../api/AllocationEntries.ts"
import type { IPAllocation } from "../api/IPAllocation.ts"
import { ipAllocations } from "../api/IPAllocation.ts"
import type { ObjectRef, OwnerReference } from "../api/KubernetesObject.ts"
import { apiVersion, controllerFieldManager, finalizer } from "../api/Names.ts"
import type { Service } from "../api/Service.ts"
import { services } from "../api/Service.ts"
import type { Address } from "../domain/Address.ts"
import type { Entry, Intent } from "../domain/Hold.ts"
import type { AllocationType, Report } from "../domain/PlanInput.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"

/** One owner at most may be the controller, or the API server refuses the object; what is collected with its owners is so by any. */
const ownedBy = (service: Service, others: ReadonlyArray<OwnerReference> = []): OwnerReference => ({
  apiVersion: "v1",
  kind: "Service",
  name: service.metadata.name,
  uid: service.metadata.uid ?? "",
  controller: !others.some(({ controller }) => controller === true),
  blockOwnerDeletion: false
})

/** What is granted, and what is to be bought. */
export interface Content {
  readonly entries: ReadonlyArray<Entry>
  readonly intents: ReadonlyArray<Intent>
}

interface TypedContent extends Content {
  readonly type: AllocationType
}

const contentOf = ({ entries, intents }: Content) => ({
  allocations: [...entries.map(wireOf), ...intents.map(wireOfIntent)],
  ...listsOf(entries)
})

const specOf = (content: TypedContent) => ({ type: content.type, ...contentOf(content) })

export const create = (service: Service, content: TypedContent) =>
  Kubernetes.use((kubernetes) =>
    kubernetes.create(ipAllocations, {
      apiVersion,
      kind: "IPAllocation",
      metadata: {
        name: service.metadata.name,
        namespace: service.metadata.namespace,
        labels: labelsOf(content.entries, [], () => false),
        finalizers: [finalizer],
        ownerReferences: [ownedBy(service)]
      },
      spec: specOf(content)
    })
  )

const refOf = (object: { readonly metadata: ObjectRef }): ObjectRef => ({
  namespace: object.metadata.namespace,
  name: object.metadata.name
})

/** Labels of ours that are not wanted any more are removed by name; everybody else's stay. */
const labelPatch = (allocation: IPAllocation, entries: ReadonlyArray<Entry>, isFenced: IsFenced) => {
  const wanted = labelsOf(entries, acknowledgementsOf(allocation), isFenced)
  const stale = Object.keys(allocation.metadata.labels ?? {}).filter((label) => isOurLabel(label) && !(label in wanted))
  return { ...wanted, ...Object.fromEntries(stale.map((label) => [label, null])) }
}

const withFinalizer = ({ metadata: { finalizers = [] } }: IPAllocation): ReadonlyArray<string> => [
  ...finalizers.filter((each) => each !== finalizer),
  finalizer
]

/** Compare-and-set by resourceVersion: what another replica wrote meanwhile is never overwritten. */
export const assign = (service: Service, allocation: IPAllocation, content: TypedContent, isFenced: IsFenced) => {
  const foreignOwners = (allocation.metadata.ownerReferences ?? []).filter((owner) => owner.kind !== "Service")
  return Kubernetes.use((kubernetes) =>
    kubernetes.patch(ipAllocations, refOf(allocation), {
      metadata: {
        resourceVersion: allocation.metadata.resourceVersion,
        labels: labelPatch(allocation, content.entries, isFenced),
        finalizers: withFinalizer(allocation),
        ownerReferences: [...foreignOwners, ownedBy(service, foreignOwners)]
      },
      spec: specOf(content)
    })
  )
}

/** Takes off the list what has been returned to the cloud. */
export const settle = (allocation: IPAllocation, content: Content, isFenced: IsFenced) =>
  Kubernetes.use((kubernetes) =>
    kubernetes.patch(ipAllocations, refOf(allocation), {
      metadata: {
        resourceVersion: allocation.metadata.resourceVersion,
        labels: labelPatch(allocation, content.entries, isFenced)
      },
      spec: contentOf(content)
    })
  )

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
const isProtected = (allocation: IPAllocation, isFenced: IsFenced): boolean => {
  const { deletionTimestamp, finalizers = [] } = allocation.metadata
  const wanted = dueLabelsOf(allocation, isFenced)
  return deletionTimestamp !== undefined || (finalizers.includes(finalizer) && hasLabels(allocation, wanted))
}

const protect = (allocation: IPAllocation, isFenced: IsFenced) =>
  isProtected(allocation, isFenced)
    ? Effect.succeed(allocation)
    : Kubernetes.use((kubernetes) =>
        kubernetes.patch(ipAllocations, refOf(allocation), {
          metadata: {
            resourceVersion: allocation.metadata.resourceVersion,
            labels: labelPatch(allocation, entriesOf(allocation), isFenced),
            finalizers: withFinalizer(allocation)
          }
        })
      )

/** Deletes the very version that carries our finalizer. */
export const remove = Effect.fnUntraced(
  function* (allocation: IPAllocation, isFenced: IsFenced) {
    const kubernetes = yield* Kubernetes
    const { metadata } = yield* protect(allocation, isFenced)
    const { resourceVersion, uid } = metadata
    yield* kubernetes.delete(ipAllocations, refOf(allocation), { uid, resourceVersion })
  },
  Effect.catchIf(
    ({ isGone }) => isGone,
    () => Effect.void
  )
)

export const label = (allocation: IPAllocation, isFenced: IsFenced) =>
  Kubernetes.use((kubernetes) =>
    kubernetes.patch(ipAllocations, refOf(allocation), {
      metadata: {
        resourceVersion: allocation.metadata.resourceVersion,
        labels: labelPatch(allocation, entriesOf(allocation), isFenced)
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
