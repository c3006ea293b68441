/**
 * `plenuslb uninstall`: before the chart goes. Pools and CRDs stay; IPAllocations lose our finalizer, so that nothing
 * waits for a controller that is gone.
 *
 * The order matters: a controller that still runs would deploy the operators again and put the finalizers back, and
 * operators let go of their addresses at their end, for which they need what is taken away afterwards.
 */
import { Effect, Result, Schema } from "effect"
import { configMaps } from "../api/ConfigMap.ts"
import { ephemeralIPPools } from "../api/EphemeralIPPool.ts"
import { ipAllocations } from "../api/IPAllocation.ts"
import { daemonSets } from "../api/DaemonSet.ts"
import { objectFields, StringMap } from "../api/KubernetesObject.ts"
import type { KubernetesObject, ResourceType } from "../api/KubernetesObject.ts"
import type { Lease } from "../api/Lease.ts"
import { leases } from "../api/Lease.ts"
import { daemonSetName, daemonSetSelector, finalizer, leaderLeaseName, nodeConfigMapName } from "../api/Names.ts"
import * as NodeConfig from "../api/NodeConfig.ts"
import * as NodeLease from "../api/NodeLease.ts"
import { persistentIPPools } from "../api/PersistentIPPool.ts"
import { pods } from "../api/Pod.ts"
import { services } from "../api/Service.ts"
import * as ServiceCondition from "../controller/ServiceCondition.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import type { KubernetesError } from "../ports/Kubernetes.ts"
import * as Environment from "./Environment.ts"

const deploymentName = "plenuslb"

const Deployment = Schema.Struct({
  ...objectFields,
  spec: Schema.Struct({ selector: Schema.Struct({ matchLabels: StringMap }) })
})
const deployments: ResourceType<typeof Deployment.Type> = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  namespaced: true,
  schema: Deployment
}

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

/** Also when a node is down and its Pod therefore never goes: then its addresses are gone with it. */
const awaitGone = (namespace: string, labels: { readonly [key: string]: string }) => {
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",")
  return Kubernetes.use((kubernetes) => kubernetes.list(pods, { namespace, labelSelector })).pipe(
    Effect.delay("200 millis"),
    Effect.repeat({ until: ({ items }) => items.length === 0 }),
    Effect.asVoid,
    Effect.timeoutOrElse({
      duration: "60 seconds",
      orElse: () => Effect.logWarning("Pods are still there").pipe(Effect.annotateLogs({ labelSelector }))
    })
  )
}

const stopControllers = Effect.fnUntraced(function* (namespace: string) {
  const kubernetes = yield* Kubernetes
  const ref = { namespace, name: deploymentName }
  const { spec } = yield* kubernetes.patch(deployments, ref, { spec: { replicas: 0 } })
  yield* awaitGone(namespace, spec.selector.matchLabels)
})

const isReleased = (lease: Lease): boolean => {
  const content = NodeLease.read(lease)
  return content === undefined || content.released === content.holdId
}

/** Asks the operators to let go, and waits until each has said so; a dead node cannot, and holds nothing reachable. */
const releaseAddresses = Effect.fnUntraced(function* (namespace: string) {
  const kubernetes = yield* Kubernetes
  const ref = { namespace, name: nodeConfigMapName }
  const present = NodeConfig.read(yield* kubernetes.get(configMaps, ref))
  const pools = Result.isSuccess(present) ? present.success.pools : []
  const { data } = NodeConfig.write({ pools, release: true }, namespace)
  yield* kubernetes.patch(configMaps, ref, { data })
  yield* kubernetes.list(leases, { namespace }).pipe(
    Effect.delay("200 millis"),
    Effect.repeat({ until: ({ items }) => items.every(isReleased) }),
    Effect.timeoutOrElse({
      duration: "30 seconds",
      orElse: () => Effect.logWarning("not every node has let go of its addresses")
    })
  )
})

/** Nobody would correct them any more. One that cannot be taken off holds up nothing. */
const takeConditionsOff = Effect.gen(function* () {
  const kubernetes = yield* Kubernetes
  const { items } = yield* kubernetes.list(services, {})
  for (const service of items) {
    if (ServiceCondition.read(service) === undefined) continue
    yield* ServiceCondition.write(service, undefined).pipe(
      Effect.catch(({ message }) =>
        Effect.logWarning("condition not taken off").pipe(Effect.annotateLogs({ error: message }))
      )
    )
  }
})

export const run = Effect.gen(function* () {
  const kubernetes = yield* Kubernetes
  const namespace = yield* Environment.required("MY_POD_NAMESPACE", "the namespace of this Pod")
  yield* orAbsent(stopControllers(namespace))
  yield* orAbsent(releaseAddresses(namespace))
  yield* orAbsent(kubernetes.delete(daemonSets, { namespace, name: daemonSetName }))
  yield* awaitGone(namespace, daemonSetSelector)
  yield* orAbsent(kubernetes.delete(configMaps, { namespace, name: nodeConfigMapName }))
  yield* orAbsent(takeFinalizerOff(ipAllocations))
  yield* orAbsent(takeFinalizerOff(persistentIPPools))
  yield* orAbsent(takeFinalizerOff(ephemeralIPPools))
  const { items } = yield* kubernetes.list(leases, { namespace })
  for (const lease of items) {
    if (lease.metadata.name !== leaderLeaseName && !NodeLease.isNodeLease(lease)) continue
    yield* orAbsent(kubernetes.patch(leases, lease.metadata, { metadata: { finalizers: [] } }))
    yield* orAbsent(kubernetes.delete(leases, lease.metadata))
  }
  yield* takeConditionsOff
  yield* Effect.logInfo("finalizers taken off; pools and addresses at the cloud stay")
})
