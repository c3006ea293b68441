/**
 * `plenuslb uninstall`: before the chart goes. Pools and CRDs stay; IPAllocations lose our finalizer, so that nothing
 * waits for a controller that is gone.
 */
import { Effect } from "effect"
import { ephemeralIPPools } from "../api/EphemeralIPPool.ts"
import { ipAllocations } from "../api/IPAllocation.ts"
import { daemonSets } from "../api/DaemonSet.ts"
import type { KubernetesObject, ResourceType } from "../api/KubernetesObject.ts"
import { leases } from "../api/Lease.ts"
import { daemonSetName, finalizer, leaderLeaseName } from "../api/Names.ts"
import { isNodeLease } from "../api/NodeLease.ts"
import { persistentIPPools } from "../api/PersistentIPPool.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import type { KubernetesError } from "../ports/Kubernetes.ts"
import * as Environment from "./Environment.ts"

const orAbsent = <A, R>(effect: Effect.Effect<A, KubernetesError, R>) =>
  effect.pipe(
    Effect.asVoid,
    Effect.catchIf(
      (error) => error.reason._tag === "NotFound",
      () => Effect.void
    )
  )

const takeFinalizerOff = <A extends KubernetesObject>(type: ResourceType<A>) =>
  Effect.gen(function* () {
    const kubernetes = yield* Kubernetes
    const { items } = yield* kubernetes.list(type, {})
    for (const { metadata } of items) {
      const present = metadata.finalizers ?? []
      if (!present.includes(finalizer)) continue
      const finalizers = present.filter((each) => each !== finalizer)
      yield* orAbsent(
        kubernetes.patch(type, metadata, { metadata: { resourceVersion: metadata.resourceVersion, finalizers } })
      )
    }
  })

export const run = Effect.gen(function* () {
  const kubernetes = yield* Kubernetes
  const namespace = yield* Environment.required("MY_POD_NAMESPACE", "the namespace of this Pod")
  yield* orAbsent(kubernetes.delete(daemonSets, { namespace, name: daemonSetName }))
  yield* orAbsent(takeFinalizerOff(ipAllocations))
  yield* orAbsent(takeFinalizerOff(persistentIPPools))
  yield* orAbsent(takeFinalizerOff(ephemeralIPPools))
  const { items } = yield* kubernetes.list(leases, { namespace })
  for (const lease of items) {
    if (lease.metadata.name !== leaderLeaseName && !isNodeLease(lease)) continue
    yield* orAbsent(kubernetes.patch(leases, lease.metadata, { metadata: { finalizers: [] } }))
    yield* orAbsent(kubernetes.delete(leases, lease.metadata))
  }
  yield* Effect.logInfo("finalizers taken off; pools and addresses at the cloud stay")
})
