/** What happened to the API server and the network so far, kept by their listeners: writes, fences, announcements. */
import { ipAllocations } from "../../api/IPAllocation.ts"
import { nodeLeaseName } from "../../api/Names.ts"
import * as NodeLease from "../../api/NodeLease.ts"
import { leases } from "../../api/Lease.ts"
import { services } from "../../api/Service.ts"
import type { Address } from "../../domain/Address.ts"
import type { ApiRequest } from "../../memory/kubernetes/Faults.ts"
import type { MemoryKubernetes } from "../../memory/kubernetes/MemoryKubernetes.ts"
import { textAt } from "../../memory/kubernetes/Json.ts"
import type { Change } from "../../memory/kubernetes/Store.ts"
import { keyOf, refOf } from "../../reconcile/Reflector.ts"
import { NAMESPACE } from "./Cluster.ts"

const readMethods = new Set<string>(["get", "list", "watch"])
const counted = new Set([ipAllocations.plural, services.plural])

export class Ledger {
  /** Writes of our programs by Service key, and as many of them as there were when the Service first showed an address. */
  readonly writes = new Map<string, number>()
  readonly writesUntilShown = new Map<string, number>()
  /** Monotonic milliseconds, by name of the NodeLease. */
  private readonly leaseChangedAt = new Map<string, number>()
  private readonly leaseFencedAfter = new Map<string, number>()
  private readonly announced = new Set<string>()
  private readonly nowMillis: () => number

  constructor(nowMillis: () => number) {
    this.nowMillis = nowMillis
  }

  onRequest({ method, name, namespace, plural, user }: ApiRequest): void {
    if (user === "kubectl" || readMethods.has(method) || name === undefined || !counted.has(plural)) return
    const key = keyOf({ namespace, name })
    this.writes.set(key, (this.writes.get(key) ?? 0) + 1)
  }

  onChange({ collection, object }: Change, { truth }: MemoryKubernetes): void {
    const ref = { namespace: textAt(object, "metadata", "namespace"), name: textAt(object, "metadata", "name") ?? "" }
    if (collection === "/services") this.noteShown(keyOf(ref), truth)
    if (collection === "coordination.k8s.io/leases") this.noteLease(ref.name, truth)
  }

  private noteShown(key: string, truth: MemoryKubernetes["truth"]): void {
    const shown = truth.get(services, refOf(key))?.status?.loadBalancer?.ingress ?? []
    if (shown.length > 0 && !this.writesUntilShown.has(key)) this.writesUntilShown.set(key, this.writes.get(key) ?? 0)
  }

  private noteLease(name: string, truth: MemoryKubernetes["truth"]): void {
    const lease = truth.get(leases, { namespace: NAMESPACE, name })
    const content = lease === undefined ? undefined : NodeLease.read(lease)
    if (content?.fenced === undefined) this.leaseChangedAt.set(name, this.nowMillis())
    else if (!this.leaseFencedAfter.has(name)) this.leaseFencedAfter.set(name, this.quietMillisOfLease(name))
  }

  private quietMillisOfLease(name: string): number {
    const now = this.nowMillis()
    return now - (this.leaseChangedAt.get(name) ?? now)
  }

  /** For how long the node has not renewed. */
  quietMillis(node: string): number {
    return this.quietMillisOfLease(nodeLeaseName(node))
  }

  /** For how long it had not renewed when it was fenced; undefined: it was not. */
  fencedAfterMillis(node: string): number | undefined {
    return this.leaseFencedAfter.get(nodeLeaseName(node))
  }

  /** True the first time: a burst repeats what was said. */
  onAnnouncement(node: string, address: Address): boolean {
    const before = this.announced.size
    this.announced.add(`${node} ${address}`)
    return this.announced.size > before
  }

  wasAnnounced(node: string, address: Address): boolean {
    return this.announced.has(`${node} ${address}`)
  }
}
