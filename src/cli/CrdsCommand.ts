/** `plenuslb crds apply`: what the chart's hook runs, since Helm never upgrades CRDs and v0.4's controller owns them. */
import { Effect, Schema } from "effect"
import { customResourceDefinitions } from "../api/Crd.ts"
import type { ResourceType } from "../api/KubernetesObject.ts"
import { objectFields } from "../api/KubernetesObject.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"

const Definition = Schema.Struct({
  ...objectFields,
  status: Schema.optionalKey(
    Schema.Struct({
      /** Null right after the object is made. */
      conditions: Schema.optionalKey(
        Schema.NullOr(Schema.Array(Schema.Struct({ type: Schema.String, status: Schema.String })))
      )
    })
  )
})
type Definition = typeof Definition.Type

const definitions: ResourceType<Definition> = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
  schema: Definition
}

const isEstablished = (definition: Definition): boolean =>
  definition.status?.conditions?.some(({ status, type }) => type === "Established" && status === "True") ?? false

/** Applies all, never deletes, and waits until the API serves them: the controller starts next. */
export const apply = Effect.gen(function* () {
  const kubernetes = yield* Kubernetes
  for (const definition of customResourceDefinitions) {
    yield* kubernetes.apply(definitions, { ...definition }, { fieldManager: "plenuslb-crds", force: true })
    yield* kubernetes
      .get(definitions, { name: definition.metadata.name })
      .pipe(Effect.delay("100 millis"), Effect.repeat({ until: isEstablished }), Effect.timeout("60 seconds"))
    yield* Effect.logInfo("applied").pipe(Effect.annotateLogs({ crd: definition.metadata.name }))
  }
})
