/**
 * The contract of `ports/Kubernetes.ts`, executable: every case is true of kube-apiserver 1.36, and of the API server in
 * memory. `rules.test.ts` proves that the cases pin each rule of the latter.
 */
import { describe, layer as withLayer } from "@effect/vitest"
import { Effect, Layer, Option, Schema } from "effect"
import { objectFields } from "../../../src/api/KubernetesObject.ts"
import { customResourceDefinitions } from "../../../src/api/Crd.ts"
import { Kubernetes } from "../../../src/ports/Kubernetes.ts"
import type { Case } from "./Case.ts"
import { untyped, type Untyped, versionOf, watching } from "./Case.ts"
import { admissionCases } from "./cases/Admission.ts"
import { applyCases } from "./cases/Apply.ts"
import { builtinCases } from "./cases/Builtins.ts"
import { controllerCases } from "./cases/Controllers.ts"
import { deletionCases } from "./cases/Deletion.ts"
import { identityCases } from "./cases/Identity.ts"
import { listCases } from "./cases/Lists.ts"
import { manifestCases } from "./cases/Manifests.ts"
import { statusCases } from "./cases/Status.ts"
import { versionCases } from "./cases/Versions.ts"
import { watchCases } from "./cases/Watches.ts"

/** What the port promises; `manifestCases`, of what our CRDs admit, are counted apart. */
export const contractCases: ReadonlyArray<Case> = [
  ...identityCases,
  ...versionCases,
  ...statusCases,
  ...deletionCases,
  ...applyCases,
  ...admissionCases,
  ...listCases,
  ...watchCases,
  ...builtinCases,
  ...controllerCases
]

export interface SuiteOptions {
  /** Whether garbage collection and namespace deletion run beside the API server. */
  readonly controllers: boolean
  /** Why the suite cannot run here: then it is skipped, with that in its name. */
  readonly unavailable?: string | undefined
}

/** The layer gives the port, as a client that may do everything; the suite installs our CRDs itself. */
export const kubernetesSuite = <E>(name: string, layer: Layer.Layer<Kubernetes, E>, options: SuiteOptions): void => {
  const { controllers, unavailable } = options
  const prepared = Layer.provideMerge(Layer.effectDiscard(installCrds), layer)
  describe.skipIf(unavailable !== undefined)(`${name}${unavailable === undefined ? "" : `: ${unavailable}`}`, () => {
    withLayer(prepared, { excludeTestServices: true, timeout: "120 seconds" })((test) => {
      for (const { name: sentence, needs, run } of [...contractCases, ...manifestCases]) {
        const isSkipped = needs === "controllers" && !controllers
        test.effect.skipIf(isSkipped)(
          isSkipped ? `${sentence} (skipped: needs kube-controller-manager)` : sentence,
          () => run,
          60_000
        )
      }
    })
  })
}

const rawDefinitions = untyped({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
  schema: Schema.Struct(objectFields)
})

/** By the port itself, as `plenuslb crds apply` does; done when the API server serves the kinds. */
export const installCrds: Effect.Effect<void, unknown, Kubernetes> = Effect.gen(function* () {
  const kubernetes = yield* Kubernetes
  for (const definition of customResourceDefinitions) {
    const options = { fieldManager: "conformance", force: true }
    const applied = yield* kubernetes.apply(rawDefinitions, { ...definition }, options)
    if (isEstablished(applied)) continue
    const selection = { fieldSelector: `metadata.name=${definition.metadata.name}` }
    const watch = yield* watching(rawDefinitions, selection, versionOf(applied))
    yield* Effect.repeat(watch.next, { until: (event) => event.type === "Modified" && isEstablished(event.object) })
  }
}).pipe(Effect.scoped)

const Established = Schema.Struct({
  status: Schema.Struct({ conditions: Schema.Array(Schema.Struct({ type: Schema.String, status: Schema.String })) })
})

/** `conditions` is null in the answer to the first apply. */
const isEstablished = (definition: Untyped): boolean =>
  Option.exists(Schema.decodeUnknownOption(Established)(definition), ({ status }) =>
    status.conditions.some((condition) => condition.type === "Established" && condition.status === "True")
  )
