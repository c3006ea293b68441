/** A truth that a test changes step by step, with the judge of one invariant listening as it does in a run. */
import { assert } from "@effect/vitest"
import type { Allocation, IPAllocation } from "../../../src/api/IPAllocation.ts"
import type { KubernetesObject } from "../../../src/api/KubernetesObject.ts"
import type { Lease } from "../../../src/api/Lease.ts"
import { finalizer, nodeLeaseAnnotations } from "../../../src/api/Names.ts"
import type { Namespace } from "../../../src/api/Namespace.ts"
import type { Node } from "../../../src/api/Node.ts"
import type { Service } from "../../../src/api/Service.ts"
import { isOurs } from "../../../src/invariants/Actors.ts"
import type {
  CloudAddressTruth,
  GroundTruth,
  Judge,
  NodeTruth,
  PoolTruth,
  Safety,
  TruthEvent,
  Violation,
  Written,
  WrittenContent
} from "../../../src/invariants/GroundTruth.ts"

export const address = "192.0.2.10"

interface ServiceParts {
  readonly uid?: string
  readonly shown?: ReadonlyArray<string>
  readonly metadata?: Partial<Service["metadata"]>
  readonly spec?: Partial<Service["spec"]>
}

export const service = (
  name = "web",
  { metadata, shown = [], spec, uid = `${name}-1` }: ServiceParts = {}
): Service => ({
  metadata: { name, namespace: "shop", uid, ...metadata },
  spec: { type: "LoadBalancer", ...spec },
  status: { loadBalancer: { ingress: shown.map((ip) => ({ ip, ipMode: "VIP" })) } }
})

export const claim = (parts: Partial<Allocation> = {}): Allocation => ({
  address,
  pool: "rack-1",
  networkInterface: "pl0",
  nodeName: "node-1",
  holdId: "1.aa",
  epoch: 1,
  ...parts
})

interface AllocationParts {
  readonly uid?: string
  readonly owner?: string
  readonly claims?: ReadonlyArray<Allocation>
  readonly generation?: number
  readonly metadata?: Partial<IPAllocation["metadata"]>
  readonly status?: IPAllocation["status"]
}

export const allocation = (
  name = "web",
  {
    claims = [claim()],
    generation = 1,
    metadata,
    owner = `${name}-1`,
    status = {},
    uid = `${name}-a1`
  }: AllocationParts = {}
): IPAllocation => ({
  metadata: {
    name,
    namespace: "shop",
    uid,
    generation,
    finalizers: [finalizer],
    ownerReferences: [{ apiVersion: "v1", kind: "Service", name, uid: owner }],
    ...metadata
  },
  spec: { type: "ephemeral", allocations: claims },
  status
})

interface PoolParts extends Partial<PoolTruth["spec"]> {
  readonly metadata?: Partial<PoolTruth["metadata"]>
  readonly status?: NonNullable<PoolTruth["status"]>
}

export const pool = (name = "rack-1", { metadata, status, ...spec }: PoolParts = {}): PoolTruth => ({
  metadata: { name, creationTimestamp: "2027-01-15T08:00:00Z", ...metadata },
  spec: {
    addresses: ["192.0.2.10-192.0.2.12"],
    autoAssign: true,
    options: { hostNetworkInterface: { addAddressesToInterface: true, interfaceName: "pl0" } },
    ...spec
  },
  ...(status === undefined ? {} : { status })
})

export const lease = (node: string, holdId: string, fenced?: string): Lease => ({
  metadata: {
    name: `lease-${node}`,
    namespace: "plenuslb",
    annotations: {
      [nodeLeaseAnnotations.node]: node,
      [nodeLeaseAnnotations.holdId]: holdId,
      ...(fenced === undefined ? {} : { [nodeLeaseAnnotations.fenced]: fenced })
    }
  }
})

export const node = (name: string, parts: Partial<Node> = {}): Node => ({
  metadata: { name },
  status: { conditions: [{ type: "Ready", status: "True" }] },
  ...parts
})

type MutableNode = { -readonly [K in keyof NodeTruth]: NodeTruth[K] } & {
  readonly held: Map<string, string>
  readonly putBy: Map<string, string>
}

export class Trial implements GroundTruth {
  nowMillis = 1_000_000
  readonly services = new Map<string, Service>()
  readonly allocations = new Map<string, IPAllocation>()
  readonly pools = new Map<string, PoolTruth>()
  readonly namespaces = new Map<string, Namespace>()
  readonly nodeObjects = new Map<string, Node>()
  readonly leases = new Map<string, Lease>()
  readonly nodes = new Map<string, MutableNode>()
  readonly holders = new Map<string, Set<string>>()
  readonly stopped = new Set<string>()
  readonly wasStopped = (client: string) => this.stopped.has(client)
  readonly leftLate = new Map<string, { readonly node: string; readonly atMillis: number }>()
  readonly disowned = new Map<string, { readonly atMillis: number; readonly countedFromMillis: number }>()
  readonly foreignSince = new Map<string, number>()
  readonly secrets: Array<string> = []
  cloud: ReadonlyArray<CloudAddressTruth> = []
  /** What clients were told last, by address. */
  readonly neighbours = new Map<string, string>()
  readonly found: Array<Violation> = []
  private readonly judge: Judge | undefined

  /** Two healthy nodes, registered, a namespace and a pool. */
  constructor(safety?: Safety) {
    this.judge = safety?.judge()
    this.namespaces.set("shop", { metadata: { name: "shop" } })
    for (const name of ["node-1", "node-2"]) {
      this.nodeObjects.set(name, node(name))
      this.machine(name)
      this.lease(lease(name, name === "node-1" ? "1.aa" : "1.bb"), `operator-${name}`)
    }
    this.pool(pool())
  }

  machine(name: string, isOn = true): void {
    this.nodes.set(name, {
      name,
      isOn,
      isOnLan: true,
      isUnfenced: false,
      isShuttingDown: false,
      reachesSince: 0,
      held: this.nodes.get(name)?.held ?? new Map(),
      putBy: this.nodes.get(name)?.putBy ?? new Map(),
      interfaces: new Set(["eth0", "pl0"]),
      impairedSince: undefined,
      impairedUntil: undefined
    })
  }

  answeredBy(wanted: string): string | undefined {
    const known = this.neighbours.get(wanted) ?? [...(this.holders.get(wanted) ?? [])][0]
    return known !== undefined && this.holders.get(wanted)?.has(known) === true ? known : undefined
  }

  service(next: Service, by = "kubectl"): this {
    return this.write(
      (content) => ({ ...content, kind: "Service" }),
      this.services,
      `shop/${next.metadata.name}`,
      next,
      by
    )
  }

  allocation(next: IPAllocation, by = "controller-1"): this {
    return this.write(
      (content) => ({ ...content, kind: "IPAllocation" }),
      this.allocations,
      `shop/${next.metadata.name}`,
      next,
      by
    )
  }

  pool(next: PoolTruth, by = "kubectl", kind = "PersistentIPPool"): this {
    return this.write(
      (content) => ({ ...content, kind: "Pool" }),
      this.pools,
      `${kind}/${next.metadata.name}`,
      next,
      by
    )
  }

  lease(next: Lease, by = "controller-1"): this {
    return this.write(
      (content) => ({ ...content, kind: "Lease" }),
      this.leases,
      `plenuslb/${next.metadata.name}`,
      next,
      by
    )
  }

  remove(kind: "Service" | "IPAllocation" | "Pool", key: string, by = "controller-1"): this {
    const objects: Map<string, KubernetesObject> =
      kind === "Service" ? this.services : kind === "Pool" ? this.pools : this.allocations
    const before = objects.get(key)
    objects.delete(key)
    const isDisowned = kind === "IPAllocation" && !isOurs(by)
    if (isDisowned) this.disown(before?.metadata.uid ?? "")
    return this.tell({ type: "Written", by, kind, key, before, after: undefined } as Written)
  }

  /** Nobody of ours saw it go; or a new leader counts anew for how long it is gone. */
  disown(uid: string, atMillis = this.nowMillis): this {
    this.disowned.set(uid, { atMillis, countedFromMillis: this.nowMillis })
    return this
  }

  /** On the interface, answered for. */
  hold(name: string, held = address, by = `operator-${name}`): this {
    this.nodes.get(name)?.held.set(held, "pl0")
    this.nodes.get(name)?.putBy.set(held, by)
    this.tell({ type: "Placed", node: name, address: held, interfaceName: "pl0", isPresent: true, by })
    this.holders.set(held, new Set([...(this.holders.get(held) ?? []), name]))
    return this.tell({ type: "Held", node: name, address: held, isHeld: true, by })
  }

  drop(name: string, held = address, by = `operator-${name}`): this {
    const interfaceName = this.nodes.get(name)?.held.get(held) ?? "pl0"
    this.nodes.get(name)?.held.delete(held)
    this.nodes.get(name)?.putBy.delete(held)
    this.tell({ type: "Placed", node: name, address: held, interfaceName, isPresent: false, by })
    this.holders.get(held)?.delete(name)
    return this.tell({ type: "Held", node: name, address: held, isHeld: false, by })
  }

  /** A fault keeps the operator of the node from acting. */
  impair(name: string): this {
    const record = this.nodes.get(name)
    if (record !== undefined) record.impairedSince = this.nowMillis
    return this
  }

  /** Somebody takes the fence of its kernel away. */
  unfence(name: string): this {
    const record = this.nodes.get(name)
    if (record !== undefined) record.isUnfenced = true
    return this
  }

  relieve(name: string): this {
    const record = this.nodes.get(name)
    if (record === undefined) return this
    record.impairedSince = undefined
    record.impairedUntil = this.nowMillis
    return this
  }

  /** What the provider has from now on. */
  provider(cloud: ReadonlyArray<CloudAddressTruth>, by = "controller-1"): this {
    const before = this.cloud
    this.cloud = cloud
    return this.tell({ type: "CloudChanged", by, before })
  }

  /** What a project that is none of the cluster's has instead of `before`. */
  otherProject(
    before: ReadonlyArray<CloudAddressTruth>,
    after: ReadonlyArray<CloudAddressTruth>,
    by = "controller-1"
  ): this {
    return this.tell({ type: "OtherProjectChanged", by, before, after })
  }

  wait(millis: number): this {
    this.nowMillis += millis
    return this
  }

  tell(event: TruthEvent): this {
    if (this.judge === undefined) return this
    this.found.push(...this.judge.after(event, this))
    this.agree()
    return this
  }

  /** The whole check finds nothing that the events did not show. */
  private agree(): void {
    for (const { excuse, message } of this.judge?.whole(this) ?? []) {
      if (excuse !== undefined) continue
      const known = this.found.map((each) => each.message)
      assert.include(known, message, "the whole check found what no event had shown")
    }
  }

  private write<A extends KubernetesObject>(
    written: (content: WrittenContent<A>) => Written,
    objects: Map<string, A>,
    key: string,
    after: A,
    by: string
  ): this {
    const before = objects.get(key)
    objects.set(key, after)
    return this.tell(written({ type: "Written", by, key, before, after }))
  }
}

/** `verdict`: `FINE`, `EXCUSED`, or a part of the message of the violation. */
export type Row = readonly [name: string, play: (trial: Trial) => unknown, verdict: string]

/** `FINE`, `EXCUSED`, or the message of the violation. */
export const verdictOf = (found: ReadonlyArray<Violation>): string => {
  const [worst] = found.filter(({ excuse }) => excuse === undefined)
  if (worst !== undefined) return worst.message
  return found.length === 0 ? "FINE" : "EXCUSED"
}
