/** The tables of manifests that must be admitted, or refused with a sentence, each as a case. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { Kubernetes } from "../../../../src/ports/Kubernetes.ts"
import { type BadManifest, badManifests } from "../../bad-manifests.ts"
import { goodManifests } from "../../good-manifests.ts"
import { type Manifest, resourceTypes } from "../../manifest.ts"
import { type Case, given, newNamespace, refused, uniqueName, untyped, type Untyped } from "../Case.ts"

/** As in the table, but under a name and in a namespace of its own. */
const placed = ({ kind, manifest }: Manifest) =>
  Effect.gen(function* () {
    const name = yield* uniqueName("example")
    const place = resourceTypes[kind].namespaced ? { name, namespace: yield* newNamespace } : { name }
    const { namespace: _, ...metadata } = manifest.metadata
    const object: Untyped = { ...manifest, metadata: { ...metadata, ...place } }
    return { object, type: untyped(resourceTypes[kind]), ref: place }
  })

const admitted = (row: Manifest): Case =>
  given(
    `admitted: ${row.name}`,
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const { object, type, ref } = yield* placed(row)
      yield* kubernetes.create(type, object)
      if (row.status !== undefined)
        yield* kubernetes.patch(type, ref, { status: row.status }, { subresource: "status" })
      yield* kubernetes.patch(type, ref, { metadata: { finalizers: null } })
      yield* kubernetes.delete(type, ref)
    })
  )

const refusedManifest = (row: BadManifest): Case =>
  given(
    `refused: ${row.name}`,
    Effect.gen(function* () {
      const kubernetes = yield* Kubernetes
      const { object, type, ref } = yield* placed(row)
      if (row.status === undefined) return yield* says(row, kubernetes.create(type, object))
      yield* kubernetes.create(type, object)
      yield* says(row, kubernetes.patch(type, ref, { status: row.status }, { subresource: "status" }))
      yield* kubernetes.delete(type, ref)
    })
  )

const says = (row: BadManifest, write: Parameters<typeof refused<Untyped, never>>[1]) =>
  Effect.map(refused("Invalid", write), (reason) =>
    assert.include("message" in reason ? reason.message : "", row.refusal)
  )

export const manifestCases: ReadonlyArray<Case> = [...goodManifests.map(admitted), ...badManifests.map(refusedManifest)]
