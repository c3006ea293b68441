/** The ground truth of a run: filled from the API server's commits and the machines' kernels, in the very step of each change. */
import { ephemeralIPPools } from "../../api/EphemeralIPPool.ts"
import { type IPAllocation, ipAllocations } from "../../api/IPAllocation.ts"
import type { KubernetesObject, ResourceType } from "../../api/KubernetesObject.ts"
import { persistentIPPools } from "../../api/PersistentIPPool.ts"
import { type Service, services } from "../../api/Service.ts"
import type { PoolObject } from "../../domain/Pool.ts"
import type { GroundTruth, NodeTruth, TruthEvent } from "../../invariants/GroundTruth.ts"
import type { MemoryKubernetes } from "../../memory/kubernetes/MemoryKubernetes.ts"
import { textAt } from "../../memory/kubernetes/Json.ts"
import { keyOf } from "../../reconcile/Reflector.ts"
import type { Kernel } from "../kernel/Kernel.ts"
import type { Host } from "./Host.ts"
import type { Segment } from "./Segment.ts"

type Change = Parameters<Parameters<MemoryKubernetes["truth"]["subscribe"]>[0]>[0]
type Written = Extract<TruthEvent, { readonly type: "Written" }>

/** What a change of one kind of object means here. */
type Follow = (change: Change) => Written

const follower = <A extends KubernetesObject, B extends Written["before"]>(
  memory: MemoryKubernetes,
  type: ResourceType<A & B>,
  kind: Written["kind"],
  objects: Map<string, B>,
  prefix = ""
): Follow => {
  const decode = (json: Change["before"]) => (json === undefined ? undefined : memory.truth.decode(type, json))
  return ({ after, before, by, object }) => {
    const [namespace, name] = [textAt(object, "metadata", "namespace"), textAt(object, "metadata", "name") ?? ""]
    const key = prefix + keyOf({ namespace, name })
    const next = decode(after)
    if (next === undefined) objects.delete(key)
    else objects.set(key, next)
    return { type: "Written", by, kind, key, before: decode(before), after: next }
  }
}

interface NodeRecord {
  isOn: boolean
  isOnLan: boolean
  held: ReadonlyMap<string, string>
  /** Addresses for which it answers on the segment. */
  answered: ReadonlySet<string>
  /** Faults that keep its operator from acting or renewing now, by name. */
  readonly impairments: Map<string, number>
  impairedSince: number | undefined
  impairedUntil: number | undefined
}

export class Truth implements GroundTruth {
  readonly services = new Map<string, Service>()
  readonly allocations = new Map<string, IPAllocation>()
  readonly pools = new Map<string, PoolObject>()
  readonly holders = new Map<string, Set<string>>()
  private readonly records = new Map<string, NodeRecord & { readonly name: string }>()
  private readonly followers: ReadonlyMap<string, Follow>
  private readonly kernel: Kernel
  private readonly segment: Segment
  private readonly publish: (event: TruthEvent) => void

  constructor(kernel: Kernel, memory: MemoryKubernetes, segment: Segment, publish: (event: TruthEvent) => void) {
    this.kernel = kernel
    this.segment = segment
    this.publish = publish
    const { allocations, pools } = this
    this.followers = new Map<string, Follow>([
      [pathOf(services), follower(memory, services, "Service", this.services)],
      [pathOf(ipAllocations), follower(memory, ipAllocations, "IPAllocation", allocations)],
      [pathOf(persistentIPPools), follower(memory, persistentIPPools, "Pool", pools, "PersistentIPPool/")],
      [pathOf(ephemeralIPPools), follower(memory, ephemeralIPPools, "Pool", pools, "EphemeralIPPool/")]
    ])
    memory.truth.subscribe((change) => this.written(change))
  }

  get nowMillis(): number {
    return this.kernel.nowMillis
  }

  get nodes(): ReadonlyMap<string, NodeTruth> {
    return this.records
  }

  answeredBy(address: string): string | undefined {
    return this.segment.answeredBy(address, this.holders.get(address) ?? new Set())
  }

  /** Looks at the kernel of the host, and tells what is held, or answered for, otherwise than before. */
  look(host: Host, by: string): void {
    const record = this.recordOf(host.name)
    record.isOn = host.isOn
    record.isOnLan = host.isOnLan
    record.held = host.held()
    const answered = host.answers ? new Set(record.held.keys()) : new Set<string>()
    const before = record.answered
    record.answered = answered
    for (const address of before) if (!answered.has(address)) this.setHeld(host.name, address, false, by)
    for (const address of answered) if (!before.has(address)) this.setHeld(host.name, address, true, by)
  }

  /** A fault begins to keep the node's operator from acting, renewing or being heard. */
  impair(node: string, fault: string): void {
    const record = this.recordOf(node)
    record.impairments.set(fault, (record.impairments.get(fault) ?? 0) + 1)
    record.impairedSince ??= this.kernel.nowMillis
    record.impairedUntil = undefined
  }

  relieve(node: string, fault: string): void {
    const record = this.recordOf(node)
    const left = (record.impairments.get(fault) ?? 0) - 1
    if (left > 0) record.impairments.set(fault, left)
    else record.impairments.delete(fault)
    if (record.impairments.size > 0) return
    record.impairedSince = undefined
    record.impairedUntil = this.kernel.nowMillis
  }

  private setHeld(node: string, address: string, isHeld: boolean, by: string): void {
    const holders = this.holders.get(address) ?? new Set<string>()
    if (isHeld) holders.add(node)
    else holders.delete(node)
    this.holders.set(address, holders)
    this.publish({ type: "Held", node, address, isHeld, by })
  }

  private recordOf(name: string): NodeRecord {
    const known = this.records.get(name)
    if (known !== undefined) return known
    const record = {
      name,
      isOn: true,
      isOnLan: true,
      held: new Map(),
      answered: new Set<string>(),
      impairments: new Map(),
      impairedSince: undefined,
      impairedUntil: undefined
    }
    this.records.set(name, record)
    return record
  }

  private written(change: Change): void {
    const follow = this.followers.get(change.collection)
    if (follow !== undefined) this.publish(follow(change))
  }
}

const pathOf = ({ group, plural }: { readonly group: string; readonly plural: string }) => `${group}/${plural}`
