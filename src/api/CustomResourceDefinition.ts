/** `apiextensions.k8s.io/v1`, as far as we write it and wait for it. */
import { Schema } from "effect"
import { objectFields, type ResourceType } from "./KubernetesObject.ts"
import type { StructuralSchema } from "./StructuralSchema.ts"

export interface PrinterColumn {
  readonly name: string
  readonly type: "string" | "integer" | "date" | "boolean"
  readonly description: string
  readonly jsonPath: string
  /** Above 0: only with `-o wide`. */
  readonly priority?: number
}

/** What `Crd.ts` generates: complete, to be written by server-side apply. */
export interface CustomResourceDefinition {
  readonly apiVersion: "apiextensions.k8s.io/v1"
  readonly kind: "CustomResourceDefinition"
  readonly metadata: { readonly name: string; readonly labels: { readonly [key: string]: string } }
  readonly spec: {
    readonly group: string
    readonly scope: "Cluster" | "Namespaced"
    readonly names: {
      readonly kind: string
      readonly listKind: string
      readonly plural: string
      readonly singular: string
      readonly shortNames: ReadonlyArray<string>
      readonly categories?: ReadonlyArray<string>
    }
    readonly versions: ReadonlyArray<CustomResourceVersion>
  }
}

export interface CustomResourceVersion {
  readonly name: string
  readonly served: boolean
  readonly storage: boolean
  readonly subresources: { readonly status: { readonly [key: string]: never } }
  readonly additionalPrinterColumns: ReadonlyArray<PrinterColumn>
  readonly schema: { readonly openAPIV3Schema: StructuralSchema }
}

/** What is read back: whether the API server accepted the names and serves the kind. */
export const InstalledCrd = Schema.Struct({
  ...objectFields,
  status: Schema.optionalKey(
    Schema.Struct({
      conditions: Schema.optionalKey(
        // Null right after the object is made.
        Schema.NullOr(
          Schema.Array(
            Schema.Struct({
              type: Schema.String,
              status: Schema.String,
              reason: Schema.optionalKey(Schema.String),
              message: Schema.optionalKey(Schema.String)
            })
          )
        )
      )
    })
  )
})
export type InstalledCrd = typeof InstalledCrd.Type

export const installedCrds: ResourceType<InstalledCrd> = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
  schema: InstalledCrd
}
