/**
 * What is really so, as invariants see it: kept by whoever runs the system (the simulator, later a doctor with a cluster
 * before it), never asked of the program. And what changes it, one event at a time.
 */
import type { IPAllocation } from "../api/IPAllocation.ts"
import type { PoolObject } from "../domain/Pool.ts"
import type { Service } from "../api/Service.ts"

export interface NodeTruth {
  readonly name: string
  /** Powered and with an unfrozen kernel: its kernel answers what reaches it. */
  readonly isOn: boolean
  /** Its uplink reaches the segment. */
  readonly isOnLan: boolean
  /** Host addresses on its interfaces but its own, with the interface. */
  readonly held: ReadonlyMap<string, string>
  /** Since when, in true time, some fault has kept its operator from acting, renewing or being heard; undefined: none does. */
  readonly impairedSince: number | undefined
  /** Until when the last such fault lasted. */
  readonly impairedUntil: number | undefined
}

export interface GroundTruth {
  /** True time. */
  readonly nowMillis: number
  /** By `namespace/name`; pools by `kind/name` or `kind/namespace/name`. */
  readonly services: ReadonlyMap<string, Service>
  readonly allocations: ReadonlyMap<string, IPAllocation>
  readonly pools: ReadonlyMap<string, PoolObject>
  readonly nodes: ReadonlyMap<string, NodeTruth>
  /** Nodes that have the address on an interface and whose kernel answers on the segment, by address. */
  readonly holders: ReadonlyMap<string, ReadonlySet<string>>
  /** The node from which a client on the segment gets an answer, by its own neighbour table; undefined: none comes. */
  readonly answeredBy: (address: string) => string | undefined
}

export type TruthEvent =
  | {
      readonly type: "Written"
      /** Client that wrote. */
      readonly by: string
      readonly kind: "Service" | "IPAllocation" | "Pool"
      readonly key: string
      readonly before: Service | IPAllocation | PoolObject | undefined
      readonly after: Service | IPAllocation | PoolObject | undefined
    }
  /** An address came to or left an interface, or the node began or ceased to answer for it. */
  | {
      readonly type: "Held"
      readonly node: string
      readonly address: string
      readonly isHeld: boolean
      /** `operator`, or who else did it. */
      readonly by: string
    }

export interface Violation {
  /** Id of the invariant. */
  readonly invariant: string
  /** What was seen, in a sentence that names the objects. */
  readonly message: string
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
  /** Within which time of the last disturbance. */
  readonly withinMillis: number
  /** What is not so yet. */
  readonly unmet: (truth: GroundTruth) => ReadonlyArray<Violation>
}
