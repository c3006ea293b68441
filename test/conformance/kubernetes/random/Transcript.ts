/** What a server answers to a sequence of operations, with everything left out that two servers may choose freely. */
import { Effect, Option, Stream } from "effect"
import { configMaps } from "../../../../src/api/ConfigMap.ts"
import { ipAllocations } from "../../../../src/api/IPAllocation.ts"
import type { KubernetesObject, ResourceType } from "../../../../src/api/KubernetesObject.ts"
import { leases } from "../../../../src/api/Lease.ts"
import { services } from "../../../../src/api/Service.ts"
import { Kubernetes, type KubernetesError } from "../../../../src/ports/Kubernetes.ts"
import { newNamespace, untyped, type Untyped } from "../Case.ts"
import { allocation, configMap, lease, loadBalancer } from "../Objects.ts"
import type { KindName, Operation } from "./Operation.ts"

const types: { readonly [kind in KindName]: ResourceType<Untyped> } = {
  ConfigMap: untyped(configMaps),
  IPAllocation: untyped(ipAllocations),
  Service: untyped(services),
  Lease: untyped(leases)
}

/** One line for each answer, then one for each event that a watch of each kind delivers from the beginning. */
export const transcript = (
  operations: ReadonlyArray<Operation>
): Effect.Effect<ReadonlyArray<string>, unknown, Kubernetes> =>
  Effect.gen(function* () {
    const kubernetes = yield* Kubernetes
    const namespace = yield* newNamespace
    const { resourceVersion } = yield* kubernetes.list(configMaps, { namespace })
    const render = renderer(namespace)
    const lines: Array<string> = []
    for (const operation of operations) lines.push(yield* answer(namespace, operation, render))
    yield* kubernetes.create(configMaps, configMap(namespace, "the-end"))
    yield* kubernetes.create(ipAllocations, allocation(namespace, "the-end"))
    yield* kubernetes.create(services, loadBalancer(namespace, "the-end"))
    yield* kubernetes.create(leases, lease(namespace, "the-end", "nobody"))
    for (const [kind, type] of Object.entries(types)) {
      const events = yield* kubernetes.watch(type, { namespace }, resourceVersion).pipe(
        Stream.takeUntil((event) => event.type !== "Bookmark" && event.object.metadata.name === "the-end"),
        Stream.runCollect,
        Effect.timeout("20 seconds")
      )
      for (const event of events)
        if (event.type !== "Bookmark") lines.push(`${kind} ${event.type} ${render(event.object)}`)
    }
    return lines
  })

const answer = (
  namespace: string,
  operation: Operation,
  render: (object: KubernetesObject) => string
): Effect.Effect<string, never, Kubernetes> =>
  Effect.gen(function* () {
    const kubernetes = yield* Kubernetes
    const type = types[operation.kind]
    const before = yield* Effect.option(kubernetes.get(type, { namespace, name: operation.name }))
    const outcome = yield* Effect.match(perform(kubernetes, namespace, operation, Option.getOrUndefined(before)), {
      onFailure: (error) => describeFailure(operation, error),
      onSuccess: (object) => (object === undefined ? "accepted" : render(object) + changed(object, before))
    })
    return `${operation.method} ${operation.kind}/${operation.name}${operation.subresource ?? ""}: ${outcome}`
  })

const changed = (object: Untyped, before: Option.Option<Untyped>): string =>
  Option.exists(before, ({ metadata }) => metadata.resourceVersion === object.metadata.resourceVersion)
    ? " (same version)"
    : ""

/** Messages are compared where ours are meant to be the server's word for word. */
const describeFailure = (operation: Operation, { reason }: KubernetesError): string =>
  reason._tag === "Invalid" && operation.kind === "IPAllocation" && operation.method !== "apply"
    ? `Invalid ${reason.message}`
    : reason._tag

const perform = (
  kubernetes: Kubernetes["Service"],
  namespace: string,
  operation: Operation,
  before: Untyped | undefined
): Effect.Effect<Untyped | undefined, KubernetesError> => {
  const { method, kind, name, fields, subresource, manager, force, propagation } = operation
  const type = types[kind]
  const isStatus = subresource === "status"
  const claims = {
    ...claimsOf(operation, before),
    // An apply to the status of an absent Service would create half a Service.
    ...(kind === "Service" && isStatus && before === undefined ? { uid: otherUid } : {})
  }
  const metadata = { ...(typeof fields["metadata"] === "object" ? fields["metadata"] : {}) }
  const object: Untyped = { ...fields, metadata: { ...metadata, name, namespace } }
  switch (method) {
    case "create":
      return kubernetes.create(type, object)
    case "replace": {
      const known = { uid: before?.metadata.uid ?? otherUid, resourceVersion: before?.metadata.resourceVersion ?? "1" }
      return kubernetes.replace(type, { ...object, metadata: { ...object.metadata, ...known, ...claims } })
    }
    case "patch": {
      const patch = { ...fields, metadata: { ...metadata, ...claims } }
      return kubernetes.patch(type, { namespace, name }, patch, { subresource })
    }
    case "apply": {
      const applied = { ...object, metadata: { ...object.metadata, ...claims } }
      return kubernetes.apply(type, applied, { fieldManager: manager, force, subresource })
    }
    case "delete": {
      const preconditions = before?.metadata.finalizers?.some((finalizer) => !finalizer.includes("/")) ? {} : claims
      return Effect.as(kubernetes.delete(type, { namespace, name }, { ...preconditions, propagation }), undefined)
    }
  }
}

const otherUid = "12345678-1234-4234-8234-123456789012"

const claimsOf = (
  { uid, version }: Operation,
  before: Untyped | undefined
): { readonly uid?: string; readonly resourceVersion?: string } => ({
  ...(uid === "none" ? {} : { uid: uid === "current" ? (before?.metadata.uid ?? otherUid) : otherUid }),
  ...(version === "none"
    ? {}
    : { resourceVersion: version === "current" ? (before?.metadata.resourceVersion ?? "1") : "1" })
})

const arbitrary = new Set([
  "apiVersion",
  "kind",
  "namespace",
  "resourceVersion",
  "managedFields",
  "clusterIP",
  "clusterIPs",
  "nodePort",
  "healthCheckNodePort",
  "allocateLoadBalancerNodePorts",
  "targetPort",
  "deletionGracePeriodSeconds"
])

/** Keys sorted; uids numbered in the order in which they appear; of times only that they are there. */
const renderer = (namespace: string): ((object: KubernetesObject) => string) => {
  const uids: Array<unknown> = []
  const shown = (key: string, value: unknown): unknown => {
    if (arbitrary.has(key)) return undefined
    if (key === "creationTimestamp" || key === "deletionTimestamp") return "set"
    if (key === "uid") {
      if (!uids.includes(value)) uids.push(value)
      return `uid ${uids.indexOf(value)}`
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).toSorted(([one], [two]) => (one < two ? -1 : 1)))
  }
  return (object) => JSON.stringify(object, shown).replaceAll(namespace, "NAMESPACE")
}
