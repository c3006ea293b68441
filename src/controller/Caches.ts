/** The caches that the controller's programs share. One instance per process; each follows its kind for ever. */
import { Context } from "effect"
import type { ConfigMap } from "../api/ConfigMap.ts"
import type { DaemonSet } from "../api/DaemonSet.ts"
import type { EndpointSlice } from "../api/EndpointSlice.ts"
import type { EphemeralIPPool } from "../api/EphemeralIPPool.ts"
import type { IPAllocation } from "../api/IPAllocation.ts"
import type { Lease } from "../api/Lease.ts"
import type { Namespace } from "../api/Namespace.ts"
import type { Node } from "../api/Node.ts"
import type { PersistentIPPool } from "../api/PersistentIPPool.ts"
import type { Service } from "../api/Service.ts"
import type { ServiceCIDR } from "../api/ServiceCIDR.ts"
import type { Reflector } from "../reconcile/Reflector.ts"

export class Caches extends Context.Service<
  Caches,
  {
    readonly services: Reflector<Service>
    readonly allocations: Reflector<IPAllocation>
    readonly persistentPools: Reflector<PersistentIPPool>
    readonly ephemeralPools: Reflector<EphemeralIPPool>
    readonly nodes: Reflector<Node>
    readonly namespaces: Reflector<Namespace>
    readonly endpointSlices: Reflector<EndpointSlice>
    /** Empty where the API server does not have the kind (before Kubernetes 1.33). */
    readonly serviceCIDRs: Reflector<ServiceCIDR>
    /** Of our own namespace only: NodeLeases and the leader's. */
    readonly leases: Reflector<Lease>
    /** Of our own namespace: the operators' template, and what we tell them. */
    readonly configMaps: Reflector<ConfigMap>
    readonly daemonSets: Reflector<DaemonSet>
  }
>()("plenuslb/controller/Caches") {}
