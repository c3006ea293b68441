/**
 * `plenuslb uninstall`: before the chart goes. Services show our addresses no more. Pools, CRDs and IPAllocations stay, so
 * that a later installation gives everybody what it had; they lose our finalizer, so that nothing waits for a controller
 * that is gone.
 *
 * The order matters: a controller that still runs would deploy the operators again, put the finalizers back and show the
 * addresses anew; clients are told before the addresses go, as when a Service is deleted; and operators let go of their
 * addresses at their end, for which they need what is taken away afterwards.
 */
import { Effect, Result, Schema } from "effect"
import { claimsInLabels } from "../api/AllocationEntries.ts"
import { configMaps } from "../api/ConfigMap.ts"
import { ephemeralIPPools } from "../api/EphemeralIPPool.ts"
import { ipAllocations } from "../api/IPAllocation.ts"
import { daemonSets } from "../api/DaemonSet.ts"
import { objectFields, StringMap } from "../api/KubernetesObject.ts"
import type { KubernetesObject, ResourceType } from "../api/KubernetesObject.ts"
import type { Lease } from "../api/Lease.ts"
import { leases } from "../api/Lease.ts"
import {
  daemonSetName,
  daemonSetSelector,
  finalizer,
  leaderLeaseName,
  nodeConfigMapName,
  witnessSecretName
} from "../api/Names.ts"
import * as NodeConfig from "../api/NodeConfig.ts"
import * as NodeLease from "../api/NodeLease.ts"
import { persistentIPPools } from "../api/PersistentIPPool.ts"
import { pods } from "../api/Pod.ts"
import { secrets } from "../api/Secret.ts"
import { services } from "../api/Service.ts"
import type { Service } from "../api/Service.ts"
import * as ServiceCondition from "../controller/ServiceCondition.ts"
import * as Address from "../domain/Address.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"
import type { KubernetesError } from "../ports/Kubernetes.ts"
import { keyOf } from "../reconcile/Reflector.ts"
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

/** What this version cannot decode of the rest must not stay behind with our finalizer. */
const AnyObject = Schema.Struct(objectFields)
const metadataOf = <A extends KubernetesObject>(type: ResourceType<A>): ResourceType<typeof AnyObject.Type> => ({
  ...type,
  schema: AnyObject
})

const takeFinalizerOff = <A extends KubernetesObject>(kind: ResourceType<A>) =>
  Effect.gen(function* () {
    const kubernetes = yield* Kubernetes
    const type = metadataOf(kind)
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

/** Many at once: the job has minutes, and there may be thousands. */
const CONCURRENCY = 16

const hide = (service: Service, ours: ReadonlySet<string>) =>
  Kubernetes.use((kubernetes) => {
    const present = service.status?.loadBalancer?.ingress ?? []
    const others = present.filter(({ ip = "" }) => {
      const parsed = Address.parse(ip)
      return Result.isFailure(parsed) || !ours.has(parsed.success)
    })
    if (others.length === present.length) return Effect.void
    const { name, namespace, uid } = service.metadata
    const body = { metadata: { uid }, status: { loadBalancer: { ingress: others } } }
    return Effect.asVoid(kubernetes.patch(services, { name, namespace }, body, { subresource: "status" }))
  })

/** Only what the Service's own IPAllocation claims: what others wrote into its status stays. */
const hideAddresses = Effect.gen(function* () {
  const kubernetes = yield* Kubernetes
  const allocations = yield* kubernetes.list(metadataOf(ipAllocations), {})
  const claims = new Map(
    allocations.items.map(({ metadata }) => [keyOf(metadata), new Set<string>(claimsInLabels(metadata.labels ?? {}))])
  )
  const { items } = yield* kubernetes.list(services, {})
  yield* Effect.forEach(items, (service) => orAbsent(hide(service, claims.get(keyOf(service.metadata)) ?? new Set())), {
    concurrency: CONCURRENCY,
    discard: true
  })
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
  yield* orAbsent(hideAddresses)
  yield* orAbsent(releaseAddresses(namespace))
  yield* orAbsent(kubernetes.delete(daemonSets, { namespace, name: daemonSetName }))
  yield* awaitGone(namespace, daemonSetSelector)
  yield* orAbsent(kubernetes.delete(configMaps, { namespace, name: nodeConfigMapName }))
  yield* orAbsent(kubernetes.delete(secrets, { namespace, name: witnessSecretName }))
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
  yield* Effect.logInfo(
    "addresses released, finalizers taken off; pools, IPAllocations and addresses at the cloud stay"
  )
})
