/** Small objects for cases, and short ways to write them. */
import type { Effect } from "effect"
import { type ConfigMap, configMaps } from "../../../src/api/ConfigMap.ts"
import { type IPAllocation, ipAllocations } from "../../../src/api/IPAllocation.ts"
import type { Lease } from "../../../src/api/Lease.ts"
import type { Service } from "../../../src/api/Service.ts"
import { Kubernetes, type KubernetesError } from "../../../src/ports/Kubernetes.ts"
import { untyped, type Untyped } from "./Case.ts"

export const rawConfigMaps = untyped(configMaps)
export const rawAllocations = untyped(ipAllocations)

export const configMap = (
  namespace: string,
  name: string,
  data: { readonly [key: string]: string } = {}
): ConfigMap => ({
  metadata: { name, namespace },
  data
})

export const allocation = (namespace: string, name: string, address = "192.0.2.10"): IPAllocation => ({
  metadata: { name, namespace },
  spec: { type: "persistent", allocations: [{ address, pool: "rack-1" }] }
})

export const loadBalancer = (namespace: string, name: string): Service => ({
  metadata: { name, namespace },
  spec: { type: "LoadBalancer", ports: [{ port: 80 }], selector: { app: "web" } }
})

export const lease = (namespace: string, name: string, holderIdentity: string): Lease => ({
  metadata: { name, namespace },
  spec: { holderIdentity, leaseDurationSeconds: 15, renewTime: "2026-11-24T15:00:00.000000Z" }
})

export const createConfigMap = (
  namespace: string,
  name: string,
  data: { readonly [key: string]: string } = {},
  metadata: Partial<ConfigMap["metadata"]> = {}
): Effect.Effect<ConfigMap, KubernetesError, Kubernetes> =>
  Kubernetes.use((kubernetes) => kubernetes.create(configMaps, { metadata: { ...metadata, name, namespace }, data }))

export const createAllocation = (
  namespace: string,
  name: string
): Effect.Effect<IPAllocation, KubernetesError, Kubernetes> =>
  Kubernetes.use((kubernetes) => kubernetes.create(ipAllocations, allocation(namespace, name)))

export interface Applying {
  readonly force?: boolean
  readonly subresource?: "status"
}

/** Applies as `fieldManager`; what is not given is left out. */
export const applyAllocation = (
  namespace: string,
  name: string,
  fieldManager: string,
  fields: { readonly metadata?: object; readonly spec?: object; readonly status?: object },
  options: Applying = {}
): Effect.Effect<Untyped, KubernetesError, Kubernetes> =>
  Kubernetes.use((kubernetes) =>
    kubernetes.apply(
      rawAllocations,
      { ...fields, metadata: { ...fields.metadata, name, namespace } },
      { fieldManager, ...options }
    )
  )

export const applyConfigMap = (
  namespace: string,
  name: string,
  fieldManager: string,
  data: { readonly [key: string]: string },
  options: Applying & { readonly metadata?: object } = {}
): Effect.Effect<Untyped, KubernetesError, Kubernetes> => {
  const { metadata, ...rest } = options
  return Kubernetes.use((kubernetes) =>
    kubernetes.apply(
      rawConfigMaps,
      { metadata: { ...metadata, name, namespace }, ...(Object.keys(data).length === 0 ? {} : { data }) },
      { fieldManager, ...rest }
    )
  )
}
