/** The ground truth of a run: filled from the API server's commits and the machines' kernels, in the very step of each change. */
import { ephemeralIPPools } from "../../api/EphemeralIPPool.ts"
import { type IPAllocation, ipAllocations } from "../../api/IPAllocation.ts"
import type { KubernetesObject, ResourceType } from "../../api/KubernetesObject.ts"
import { type Lease, leases } from "../../api/Lease.ts"
import { leaderLeaseName } from "../../api/Names.ts"
import { type Namespace, namespaces } from "../../api/Namespace.ts"
import { type Node, nodes } from "../../api/Node.ts"
import { persistentIPPools } from "../../api/PersistentIPPool.ts"
import { type Service, services } from "../../api/Service.ts"
import type {
  CloudAddressTruth,
  GroundTruth,
  NodeTruth,
  PoolTruth,
  TruthEvent,
  Written,
  WrittenContent
} from "../../invariants/GroundTruth.ts"
import { isOperator, isOurs } from "../../invariants/Actors.ts"
import { isHindered } from "../../invariants/Hindered.ts"
import type { MemoryKubernetes } from "../../memory/kubernetes/MemoryKubernetes.ts"
import { textAt } from "../../memory/kubernetes/Json.ts"
import { keyOf } from "../../reconcile/Reflector.ts"
import type { Kernel } from "../kernel/Kernel.ts"
import type { CloudSite } from "./CloudSite.ts"
import type { Host } from "./Host.ts"
import type { Segment } from "./Segment.ts"

type Change = Parameters<Parameters<MemoryKubernetes["truth"]["subscribe"]>[0]>[0]

/** What a change of one kind of object means here. */
type Follow = (change: Change) => Written

const keyOfChange = ({ object }: Change): string =>
  keyOf({ namespace: textAt(object, "metadata", "namespace"), name: textAt(object, "metadata", "name") ?? "" })

/** Objects of kinds that have no place here; nobody reads more of them than what all objects have. */
const other = (change: Change): Written => ({
  type: "Written",
  by: change.by,
  kind: "Other",
  key: `${change.collection} ${keyOfChange(change)}`,
  before: change.before as KubernetesObject | undefined,
  after: change.after as KubernetesObject | undefined
})

/** `written` gives the event its kind. */
const follower =
  <B extends KubernetesObject>(
    memory: MemoryKubernetes,
    type: ResourceType<B>,
    written: (content: WrittenContent<B>) => Written,
    objects: Map<string, B>,
    prefix = ""
  ): Follow =>
  (change) => {
    const key = prefix + keyOfChange(change)
    const before = objects.get(key)
    const next = change.after === undefined ? undefined : memory.truth.decode(type, change.after)
    // One that this version cannot decode is there all the same: what was last readable stands for it.
    const after = next ?? (change.after === undefined ? undefined : before)
    if (after === undefined) objects.delete(key)
    else objects.set(key, after)
    if (after === undefined && change.after !== undefined) return other(change)
    return written({ type: "Written", by: change.by, key, before, after })
  }

const poolWritten = (content: WrittenContent<PoolTruth>): Written => ({ ...content, kind: "Pool" })

interface NodeRecord {
  isOn: boolean
  isOnLan: boolean
  isUnfenced: boolean
  isShuttingDown: boolean
  reachesSince: number | undefined
  held: ReadonlyMap<string, string>
  /** Addresses for which it answers on the segment. */
  answered: ReadonlySet<string>
  readonly putBy: Map<string, string>
  interfaces: ReadonlySet<string>
  own: string
  /** Faults that keep its operator from acting or renewing now, by name. */
  readonly impairments: Map<string, number>
  impairedSince: number | undefined
  impairedUntil: number | undefined
}

export class Truth implements GroundTruth {
  readonly services = new Map<string, Service>()
  readonly allocations = new Map<string, IPAllocation>()
  readonly pools = new Map<string, PoolTruth>()
  readonly namespaces = new Map<string, Namespace>()
  readonly nodeObjects = new Map<string, Node>()
  readonly leases = new Map<string, Lease>()
  readonly secrets: Array<string> = []
  cloud: ReadonlyArray<CloudAddressTruth> = []
  readonly disowned = new Map<string, { readonly atMillis: number; readonly countedFromMillis: number }>()
  private cloudText = "[]"
  private others: ReadonlyArray<CloudAddressTruth> = []
  readonly holders = new Map<string, Set<string>>()
  readonly leftLate = new Map<string, { readonly node: string; readonly atMillis: number }>()
  /** Set by the world, which knows the processes. */
  wasStopped: (client: string) => boolean = () => false
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
      [pathOf(services), follower(memory, services, (content) => ({ ...content, kind: "Service" }), this.services)],
      [
        pathOf(ipAllocations),
        follower(memory, ipAllocations, (content) => ({ ...content, kind: "IPAllocation" }), allocations)
      ],
      [
        pathOf(persistentIPPools),
        follower<PoolTruth>(memory, persistentIPPools, poolWritten, pools, "PersistentIPPool/")
      ],
      [pathOf(ephemeralIPPools), follower<PoolTruth>(memory, ephemeralIPPools, poolWritten, pools, "EphemeralIPPool/")],
      [
        pathOf(namespaces),
        follower(memory, namespaces, (content) => ({ ...content, kind: "Namespace" }), this.namespaces)
      ],
      [pathOf(nodes), follower(memory, nodes, (content) => ({ ...content, kind: "Node" }), this.nodeObjects)],
      [pathOf(leases), follower(memory, leases, (content) => ({ ...content, kind: "Lease" }), this.leases)]
    ])
    memory.truth.subscribe((change) => this.written(change))
    // Some are there from the beginning.
    for (const each of memory.truth.list(namespaces)) this.namespaces.set(each.metadata.name, each)
  }

  get nowMillis(): number {
    return this.kernel.nowMillis
  }

  get nodes(): ReadonlyMap<string, NodeTruth> {
    return this.records
  }

  get foreignSince(): ReadonlyMap<string, number> {
    return new Map([...this.segment.foreign].map(([address, { sinceMillis }]) => [address, sinceMillis]))
  }

  answeredBy(address: string): string | undefined {
    return this.segment.answeredBy(address, this.holders.get(address) ?? new Set())
  }

  /** Looks at the kernel of the host, and tells what is held, or answered for, otherwise than before. */
  look(host: Host, by: string): void {
    const record = this.recordOf(host.name)
    record.isOn = host.isOn
    record.isOnLan = host.isOnLan
    record.reachesSince = host.announces && host.hears ? (record.reachesSince ?? this.nowMillis) : undefined
    this.place(host, record, by)
    const answered = host.answered()
    const isUnfenced = host.isOn && (host.isThawing || !host.hasFence)
    record.isUnfenced ||= isUnfenced
    record.isShuttingDown = host.ending === "leaving"
    const before = record.answered
    record.answered = answered
    for (const address of before) if (!answered.has(address)) this.setHeld(host.name, address, false, by)
    for (const address of answered) if (!before.has(address)) this.setHeld(host.name, address, true, by)
    record.isUnfenced = isUnfenced
  }

  /** A fault begins to keep the node's operator from acting, renewing or being heard. */
  impair(node: string, fault: string): void {
    const record = this.recordOf(node)
    record.impairments.set(fault, (record.impairments.get(fault) ?? 0) + 1)
    record.impairedSince ??= this.kernel.nowMillis
    record.impairedUntil = undefined
  }

  /** Of what is so or not, however often it is said. */
  setImpaired(node: string, fault: string, isImpaired: boolean): void {
    if (this.recordOf(node).impairments.has(fault) === isImpaired) return
    if (isImpaired) this.impair(node, fault)
    else this.relieve(node, fault)
  }

  /** A request of the node's operator was turned away or lost: it may have learned nothing, and not renewed, until now. */
  turnedAway(node: string): void {
    const record = this.recordOf(node)
    if (record.impairedSince === undefined) record.impairedUntil = this.kernel.nowMillis
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

  /** Looks at what the provider has, in the cluster's project and in the other one. */
  lookAtProvider(cloud: Pick<CloudSite, "addresses" | "othersAddresses">, by: string): void {
    this.lookAtCloud(cloud.addresses(), by)
    this.lookAtOtherProject(cloud.othersAddresses(), by)
  }

  private lookAtCloud(addresses: ReadonlyArray<CloudAddressTruth>, by: string): void {
    const before = this.cloud
    const text = JSON.stringify(addresses)
    if (text === this.cloudText) return
    this.cloudText = text
    this.cloud = addresses
    this.publish({ type: "CloudChanged", by, before })
  }

  private lookAtOtherProject(after: ReadonlyArray<CloudAddressTruth>, by: string): void {
    const before = this.others
    if (JSON.stringify(after) === JSON.stringify(before)) return
    this.others = after
    this.publish({ type: "OtherProjectChanged", by, before, after })
  }

  /** A frame of the host left for the segment. */
  announced({ name: node, wasStopped: isStopped }: Host, address: string): void {
    this.leftLate.delete(address)
    this.publish({ type: "Announced", node, address, isStopped })
  }

  logged(by: string, text: string): void {
    this.publish({ type: "Logged", by, text })
  }

  /** What lies on the interfaces, answered for or not. */
  private place(host: Host, record: NodeRecord, by: string): void {
    const before = record.held
    const held: ReadonlyMap<string, string> = host.held()
    const own = host.own()
    const ownBefore = record.own
    // The same maps for as long as the kernel says the same.
    if (held === before && own === ownBefore) return
    record.held = held
    record.own = own
    record.interfaces = host.interfaces()
    const node = host.name
    for (const [address, interfaceName] of before) {
      if (held.get(address) === interfaceName) continue
      if (!held.has(address)) record.putBy.delete(address)
      this.publish({ type: "Placed", node, address, interfaceName, isPresent: false, by })
    }
    for (const [address, interfaceName] of held) {
      if (before.get(address) === interfaceName) continue
      record.putBy.set(address, by)
      this.publish({ type: "Placed", node, address, interfaceName, isPresent: true, by })
    }
    if (ownBefore !== own && ownBefore !== "") {
      this.publish({ type: "HostChanged", node, by, before: ownBefore, after: own })
    }
  }

  private setHeld(node: string, address: string, isHeld: boolean, by: string): void {
    const holders = this.holders.get(address) ?? new Set<string>()
    if (isHeld) holders.add(node)
    else holders.delete(node)
    this.holders.set(address, holders)
    const isLate = !isHeld && isOperator(by) && isHindered(this, node) && this.segment.knows(address) === node
    if (isLate) this.leftLate.set(address, { node, atMillis: this.nowMillis })
    this.publish({ type: "Held", node, address, isHeld, by })
  }

  private recordOf(name: string): NodeRecord {
    const known = this.records.get(name)
    if (known !== undefined) return known
    const record = {
      name,
      isOn: true,
      isOnLan: true,
      isUnfenced: false,
      isShuttingDown: false,
      reachesSince: undefined,
      held: new Map(),
      answered: new Set<string>(),
      putBy: new Map(),
      interfaces: new Set<string>(),
      own: "",
      impairments: new Map(),
      impairedSince: undefined,
      impairedUntil: undefined
    }
    this.records.set(name, record)
    return record
  }

  private written(change: Change): void {
    const written = (this.followers.get(change.collection) ?? other)(change)
    this.noteDisowned(written)
    this.publish(written)
  }

  private noteDisowned(written: Written): void {
    const { nowMillis } = this
    if (written.kind === "IPAllocation" && written.after === undefined && !isOurs(written.by)) {
      const uid = written.before?.metadata.uid ?? ""
      this.disowned.set(uid, { atMillis: nowMillis, countedFromMillis: nowMillis })
    }
    const isLeader = written.kind === "Lease" && (written.after ?? written.before)?.metadata.name === leaderLeaseName
    if (!isLeader || written.before?.spec?.holderIdentity === written.after?.spec?.holderIdentity) return
    for (const [uid, gone] of this.disowned) this.disowned.set(uid, { ...gone, countedFromMillis: nowMillis })
  }
}

const pathOf = ({ group, plural }: { readonly group: string; readonly plural: string }) => `${group}/${plural}`
