/** Objects of our kinds as test data: plain JSON, not typed by the Schemas, since many of them are wrong on purpose. */
import type { KubernetesObject } from "../../src/api/KubernetesObject.ts"
import { ephemeralIPPools } from "../../src/api/EphemeralIPPool.ts"
import { ipAllocations } from "../../src/api/IPAllocation.ts"
import { apiVersion } from "../../src/api/Names.ts"
import { persistentIPPools } from "../../src/api/PersistentIPPool.ts"

export type Kind = "PersistentIPPool" | "EphemeralIPPool" | "IPAllocation"

export interface Manifest {
  /** A sentence, or the end of one: names the test. */
  readonly name: string
  readonly kind: Kind
  readonly plural: string
  /** Namespaced kinds stand in namespace `default`. */
  readonly manifest: KubernetesObject & { readonly [key: string]: unknown }
  /** To be written to the status subresource after the object was created; `create` drops a status. */
  readonly status?: { readonly [key: string]: unknown }
}

export const resourceTypes = {
  PersistentIPPool: persistentIPPools,
  EphemeralIPPool: ephemeralIPPools,
  IPAllocation: ipAllocations
} as const

interface More {
  readonly labels?: { readonly [key: string]: string }
  readonly status?: { readonly [key: string]: unknown }
}

/** `spec` is any JSON value: a missing or mistyped one is a case too. */
export const manifest = (name: string, kind: Kind, spec: unknown, more: More = {}): Manifest => {
  const type = resourceTypes[kind]
  const metadata = {
    name: "example",
    ...(type.namespaced ? { namespace: "default" } : {}),
    ...(more.labels === undefined ? {} : { labels: more.labels })
  }
  return {
    name,
    kind,
    plural: type.plural,
    manifest: { apiVersion, kind, metadata, ...(spec === undefined ? {} : { spec }) },
    ...(more.status === undefined ? {} : { status: more.status })
  }
}
