/** What kube-controller-manager does beside the API server. */
import { assert } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { type ConfigMap, configMaps } from "../../../../src/api/ConfigMap.ts"
import type { OwnerReference } from "../../../../src/api/KubernetesObject.ts"
import { namespaces } from "../../../../src/api/Namespace.ts"
import { Kubernetes } from "../../../../src/ports/Kubernetes.ts"
import { type Case, newNamespace, refused, versionOf, type Watching, watching } from "../Case.ts"
import { createConfigMap } from "../Objects.ts"

const held = { finalizers: ["example.com/held"] }

const ownedBy = ({ metadata }: ConfigMap, more: Partial<OwnerReference> = {}) => ({
  ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: metadata.name, uid: metadata.uid ?? "", ...more }]
})

const deleted = (watch: Watching<ConfigMap>, name: string): Effect.Effect<void, unknown> =>
  Effect.repeat(watch.next, {
    while: (event) => event.type !== "Deleted" || event.object.metadata.name !== name
  }).pipe(Effect.asVoid)

const controlled = (name: string, run: Effect.Effect<void, unknown, Kubernetes | Scope.Scope>): Case => ({
  name,
  needs: "controllers",
  run
})

export const controllerCases: ReadonlyArray<Case> = [
  controlled(
    "a dependent goes after its owner",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const owner = yield* createConfigMap(namespace, "owner")
      const dependent = yield* createConfigMap(namespace, "dependent", {}, ownedBy(owner))
      const watch = yield* watching(configMaps, { namespace }, versionOf(dependent))
      yield* kubernetes.delete(configMaps, { namespace, name: "owner" })
      yield* deleted(watch, "dependent")
    })
  ),
  controlled(
    "an object whose owner was another of that name goes",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const first = yield* createConfigMap(namespace, "owner")
      yield* kubernetes.delete(configMaps, { namespace, name: "owner" })
      const second = yield* createConfigMap(namespace, "owner")
      const watch = yield* watching(configMaps, { namespace }, versionOf(second))
      yield* createConfigMap(namespace, "dependent", {}, ownedBy(first))
      yield* deleted(watch, "dependent")
      assert.deepStrictEqual(yield* kubernetes.get(configMaps, { namespace, name: "owner" }), second)
    })
  ),
  controlled(
    "a dependent with another owner left stays",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const one = yield* createConfigMap(namespace, "one")
      const two = yield* createConfigMap(namespace, "two")
      const both = { ownerReferences: [...ownedBy(one).ownerReferences, ...ownedBy(two).ownerReferences] }
      const dependent = yield* createConfigMap(namespace, "dependent", {}, both)
      const watch = yield* watching(configMaps, { namespace }, versionOf(dependent))
      yield* kubernetes.delete(configMaps, { namespace, name: "one" })
      yield* deleted(watch, "one")
      const event = yield* watch.next
      assert.isTrue(event.type === "Modified" && event.object.metadata.ownerReferences?.length === 1)
    })
  ),
  controlled(
    "an owner deleted in the foreground goes after its dependents",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const owner = yield* createConfigMap(namespace, "owner")
      const dependent = yield* createConfigMap(namespace, "dependent", {}, ownedBy(owner, { blockOwnerDeletion: true }))
      const watch = yield* watching(configMaps, { namespace }, versionOf(dependent))
      yield* kubernetes.delete(configMaps, { namespace, name: "owner" }, { propagation: "Foreground" })
      yield* deleted(watch, "dependent")
      yield* deleted(watch, "owner")
    })
  ),
  controlled(
    "an owner deleted as an orphan leaves its dependents without it",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const namespace = yield* newNamespace
      const owner = yield* createConfigMap(namespace, "owner")
      const dependent = yield* createConfigMap(namespace, "dependent", {}, ownedBy(owner))
      const watch = yield* watching(configMaps, { namespace }, versionOf(dependent))
      yield* kubernetes.delete(configMaps, { namespace, name: "owner" }, { propagation: "Orphan" })
      yield* deleted(watch, "owner")
      const { metadata } = yield* kubernetes.get(configMaps, { namespace, name: "dependent" })
      assert.isUndefined(metadata.ownerReferences)
    })
  ),
  controlled(
    "a deleted namespace takes along what is in it, and waits for finalizers",
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const name = yield* newNamespace
      const { metadata } = yield* kubernetes.get(namespaces, { name })
      yield* createConfigMap(name, "plain")
      const last = yield* createConfigMap(name, "held", {}, held)
      const inside = yield* watching(configMaps, { namespace: name }, versionOf(last))
      const outside = yield* watching(
        namespaces,
        { fieldSelector: `metadata.name=${name}` },
        metadata.resourceVersion ?? ""
      )
      yield* kubernetes.delete(namespaces, { name })
      yield* deleted(inside, "plain")
      yield* kubernetes.patch(configMaps, { namespace: name, name: "held" }, { metadata: { finalizers: null } })
      yield* Effect.repeat(outside.next, { while: (event) => event.type !== "Deleted" })
      yield* refused("NotFound", kubernetes.get(namespaces, { name }))
    })
  )
]
