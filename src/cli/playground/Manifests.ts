/** YAML files as `kubectl apply` takes them, for the kinds that the playground's API server and story know. */
import { Data, Effect } from "effect"
import { parseAllDocuments } from "yaml"
import { ephemeralIPPools } from "../../api/EphemeralIPPool.ts"
import type { KubernetesObject, ResourceType } from "../../api/KubernetesObject.ts"
import { persistentIPPools } from "../../api/PersistentIPPool.ts"
import { secrets } from "../../api/Secret.ts"
import { services } from "../../api/Service.ts"
import { Kubernetes } from "../../ports/Kubernetes.ts"
import type { KubernetesError } from "../../ports/Kubernetes.ts"

export interface Manifest {
  /** Name of the file, without its folder. */
  readonly file: string
  readonly text: string
}

export class ManifestError extends Data.TaggedError("ManifestError")<{ readonly message: string }> {}

type Document = KubernetesObject & { readonly [key: string]: unknown }

const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isDocument = (value: unknown): value is Document =>
  isObject(value) && isObject(value["metadata"]) && typeof value["metadata"]["name"] === "string"

export const parse = ({ file, text }: Manifest): Effect.Effect<ReadonlyArray<Document>, ManifestError> =>
  Effect.gen(function* () {
    const found: Array<Document> = []
    for (const document of parseAllDocuments(text)) {
      const [error] = document.errors
      if (error !== undefined) return yield* new ManifestError({ message: `${file} is no YAML: ${error.message}` })
      const value: unknown = document.toJS()
      if (value === null) continue
      if (!isDocument(value)) {
        return yield* new ManifestError({
          message: `${file}, document ${found.length + 1}: there is no metadata.name. Write one.`
        })
      }
      found.push(value)
    }
    return found
  })

/** What was applied, or why not. */
export interface Applied {
  readonly kind: string
  readonly name: string
  readonly skipped: string | undefined
}

const fieldManager = "kubectl"

const applyOne = Effect.fnUntraced(function* (
  document: Document
): Effect.fn.Return<Applied, KubernetesError, Kubernetes> {
  const kubernetes = yield* Kubernetes
  const applied = <A extends KubernetesObject>(type: ResourceType<A>) =>
    kubernetes
      .apply(type, document, { fieldManager })
      .pipe(Effect.as<Applied>({ kind: type.kind, name: document.metadata.name, skipped: undefined }))
  switch (document.kind) {
    case "PersistentIPPool":
      return yield* applied(persistentIPPools)
    case "EphemeralIPPool":
      return yield* applied(ephemeralIPPools)
    case "Secret":
      return yield* applied(secrets)
    case "Service":
      return yield* applied(services)
    default:
      return {
        kind: document.kind ?? "",
        name: document.metadata.name,
        skipped: `the playground has no use for a ${document.kind ?? "document without kind"}`
      }
  }
})

export const apply = Effect.fnUntraced(function* (manifest: Manifest) {
  const documents = yield* parse(manifest)
  return yield* Effect.forEach(documents, applyOne)
})
