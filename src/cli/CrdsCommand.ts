/** `plenuslb crds apply`: what the chart's hook runs, since Helm never upgrades CRDs and v0.4's controller owns them. */
import { Effect } from "effect"
import { customResourceDefinitions } from "../api/Crd.ts"
import type { InstalledCrd } from "../api/CustomResourceDefinition.ts"
import { installedCrds } from "../api/CustomResourceDefinition.ts"
import { Kubernetes } from "../ports/Kubernetes.ts"

const isEstablished = (definition: InstalledCrd): boolean =>
  definition.status?.conditions?.some(({ status, type }) => type === "Established" && status === "True") ?? false

/** Applies all, never deletes, and waits until the API serves them: the controller starts next. */
export const apply = Effect.gen(function* () {
  const kubernetes = yield* Kubernetes
  for (const definition of customResourceDefinitions) {
    yield* kubernetes.apply(installedCrds, { ...definition }, { fieldManager: "plenuslb-crds", force: true })
    yield* kubernetes
      .get(installedCrds, { name: definition.metadata.name })
      .pipe(Effect.delay("100 millis"), Effect.repeat({ until: isEstablished }), Effect.timeout("60 seconds"))
    yield* Effect.logInfo("applied").pipe(Effect.annotateLogs({ crd: definition.metadata.name }))
  }
})
