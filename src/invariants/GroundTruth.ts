/**
 * What is really so, as invariants see it: kept by whoever runs the system (the simulator, later a doctor with a cluster
 * before it), never asked of the program. And what changes it, one event at a time.
 */
import type { IPAllocation } from "../api/IPAllocation.ts"
import type { KubernetesObject } from "../api/KubernetesObject.ts"
import type { Lease } from "../api/Lease.ts"
import type { Namespace } from "../api/Namespace.ts"
import type { Node } from "../api/Node.ts"
import type { PoolStatus } from "../api/PoolStatus.ts"
import type { Service } from "../api/Service.ts"
import type { PoolObject } from "../domain/Pool.ts"

/** A pool with what it says of itself. */
export interface PoolTruth extends PoolObject {
  readonly spec: PoolObject["spec"] & {
    readonly cloudIntegration?: { readonly hetzner?: { readonly token?: string | undefined } | undefined } | undefined
  }
  readonly metadata: PoolObject["metadata"] & KubernetesObject["metadata"]
  readonly status?: PoolStatus
}

export interface NodeTruth {
  readonly name: string
  /** Powered and with an unfrozen kernel: its kernel answers what reaches it. */
  readonly isOn: boolean
  /** Its uplink reaches the segment. */
  readonly isOnLan: boolean
  /**
   * Its kernel may answer for what was taken over from it: somebody took the fence's tables away, or it was frozen with its
   * clock for a while. Both are declared limits.
   */
  readonly isUnfenced: boolean
  /** It was asked to go down: it is to give everything back. */
  readonly isShuttingDown: boolean
  /** Host addresses on its interfaces but its own, with the interface. */
  readonly held: ReadonlyMap<string, string>
  /** Of `held`, who put the address there. */
  readonly putBy: ReadonlyMap<string, string>
  /** Since when it has both heard and been heard on the segment; undefined: it does not. */
  readonly reachesSince: number | undefined
  /** Its interfaces by name that are up. */
  readonly interfaces: ReadonlySet<string>
  /** Since when, in true time, some fault has kept its operator from acting, renewing or being heard; undefined: none does. */
  readonly impairedSince: number | undefined
  /** Until when the last such fault lasted. */
  readonly impairedUntil: number | undefined
}

/** A floating IP as the provider really has it. */
export interface CloudAddressTruth {
  readonly id: string
  /** `198.18.0.1` or `2001:db8:1:7::/64`. */
  readonly network: string
  readonly name: string
  readonly labels: { readonly [key: string]: string }
  /** Name of the server to which it is routed, which is the node's. */
  readonly node: string | undefined
  /** By a controller; else a user did. */
  readonly isBoughtByUs: boolean
}

export interface GroundTruth {
  /** True time. */
  readonly nowMillis: number
  /** By `namespace/name`; pools by `kind/name`. What does not decode is left out. */
  readonly services: ReadonlyMap<string, Service>
  readonly allocations: ReadonlyMap<string, IPAllocation>
  readonly pools: ReadonlyMap<string, PoolTruth>
  readonly namespaces: ReadonlyMap<string, Namespace>
  readonly nodeObjects: ReadonlyMap<string, Node>
  readonly leases: ReadonlyMap<string, Lease>
  /** Machines. */
  readonly nodes: ReadonlyMap<string, NodeTruth>
  /** Nodes that have the address on an interface and whose kernel answers on the segment, by address. */
  readonly holders: ReadonlyMap<string, ReadonlySet<string>>
  /** The node from which a client on the segment gets an answer, by its own neighbour table; undefined: none comes. */
  readonly answeredBy: (address: string) => string | undefined
  /** Whether the client's program was stopped until a moment ago, so that what it does now it may have decided long before. */
  readonly wasStopped: (client: string) => boolean
  /** All floating IPs of the project. */
  readonly cloud: ReadonlyArray<CloudAddressTruth>
  /**
   * By address, which node a client went on asking when that node let go of it, hindered by a fault until then: since when
   * nobody answers there. Whatever is announced of the address ends it.
   */
  readonly leftLate: ReadonlyMap<string, { readonly node: string; readonly atMillis: number }>
  /**
   * By UID, IPAllocations that went without us, since somebody had freed them of our finalizer: what a provider has for them
   * is named by nobody. Whoever leads later counts anew for how long that is so.
   */
  readonly disowned: ReadonlyMap<string, { readonly atMillis: number; readonly countedFromMillis: number }>
  /** By address, since when a machine that is none of the cluster's has it. */
  readonly foreignSince: ReadonlyMap<string, number>
  /** Texts that only those may read who were given them. */
  readonly secrets: ReadonlyArray<string>
}

/** A commit, before it is said of which kind. */
export interface WrittenContent<A> {
  readonly type: "Written"
  /** Client that wrote: `controller-…` and `operator-…` are ours. */
  readonly by: string
  readonly key: string
  /** Absent: created. */
  readonly before: A | undefined
  /** Absent: removed. */
  readonly after: A | undefined
}

interface WrittenOf<K extends string, A> extends WrittenContent<A> {
  readonly kind: K
}

/** A commit of the API server. `Other` are kinds without a place in the truth, and objects that do not decode. */
export type Written =
  | WrittenOf<"Service", Service>
  | WrittenOf<"IPAllocation", IPAllocation>
  | WrittenOf<"Pool", PoolTruth>
  | WrittenOf<"Namespace", Namespace>
  | WrittenOf<"Node", Node>
  | WrittenOf<"Lease", Lease>
  | WrittenOf<"Other", KubernetesObject>

export type TruthEvent =
  | Written
  /** An address came to or left an interface, or the node began or ceased to answer for it. */
  | {
      readonly type: "Held"
      readonly node: string
      readonly address: string
      readonly isHeld: boolean
      /** `operator-…`, or who else did it. */
      readonly by: string
    }
  /** An address came to or left an interface, whether or not anybody is answered. */
  | {
      readonly type: "Placed"
      readonly node: string
      readonly address: string
      readonly interfaceName: string
      readonly isPresent: boolean
      readonly by: string
    }
  /** A frame that says that the address is at this node left it. */
  | {
      readonly type: "Announced"
      readonly node: string
      readonly address: string
      /** It was stopped, between two steps or with its clock, until a moment ago, and cannot know how late it is. */
      readonly isStopped: boolean
    }
  /** What belongs to the machine itself (interfaces, networks, its own addresses) is otherwise than before. */
  | {
      readonly type: "HostChanged"
      readonly node: string
      readonly by: string
      readonly before: string
      readonly after: string
    }
  /** What the provider has is otherwise than before, or may be. */
  | {
      readonly type: "CloudChanged"
      /** Client whose request it followed. */
      readonly by: string
      readonly before: ReadonlyArray<CloudAddressTruth>
    }
  /** What a project that is none of the cluster's has is otherwise than before. */
  | {
      readonly type: "OtherProjectChanged"
      /** Client whose request it followed. */
      readonly by: string
      readonly before: ReadonlyArray<CloudAddressTruth>
      readonly after: ReadonlyArray<CloudAddressTruth>
    }
  | { readonly type: "Logged"; readonly by: string; readonly text: string }

export interface Violation {
  /** Id of the invariant. */
  readonly invariant: string
  /** What was seen, in a sentence that names the objects. */
  readonly message: string
  /** Key of the Service or pool that it is about. */
  readonly about?: string
  /** A provider has to do something for it, which takes longer than what the cluster does. */
  readonly awaitsCloud?: boolean
  /** Set when a fault that the system cannot yet withstand explains it: counted and printed, not failed. */
  readonly excuse?: string
}

/** Something bad that must never happen. */
export interface Safety {
  readonly id: string
  readonly title: string
  /** A judge for one run, who notes what he needs of earlier events. */
  readonly judge: () => Judge
}

export interface Judge {
  /** What the event made wrong. */
  readonly after: (event: TruthEvent, truth: GroundTruth) => ReadonlyArray<Violation>
  /** Everything that is wrong now, whatever led to it; must agree with what `after` has found. */
  readonly whole: (truth: GroundTruth) => ReadonlyArray<Violation>
}

/** Something good that must be so in the end, once nothing breaks any more. */
export interface Liveness {
  readonly id: string
  readonly title: string
  /** What is not so yet. */
  readonly unmet: (truth: GroundTruth) => ReadonlyArray<Violation>
}
