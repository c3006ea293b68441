/** What a plan is made from: what was observed of a Service and its IPAllocation, and what is wanted. */
import type { Address } from "./Address.ts"
import type * as Hold from "./Hold.ts"

export type AllocationType = "ephemeral" | "persistent"

/** The part of an IPAllocation's status that the controller reports. */
export interface Report {
  readonly state: string
  readonly message: string
}

/** Stable word and sentence for what a Service lacks. */
export interface Lack {
  readonly reason: string
  readonly message: string
}

/** What our condition on a Service says, without its time. */
export interface Finding extends Lack {
  /** We write True or False; somebody else may have written anything. */
  readonly status: string
}

export interface ObservedService {
  readonly uid: string
  /** Ours by type and class, and not being deleted. */
  readonly ours: boolean
  /** Addresses in `status.loadBalancer.ingress`, in its order. */
  readonly shown: ReadonlyArray<Address>
  /** False when an entry lacks `ipMode: VIP` or carries what we never write. */
  readonly shownAsWritten: boolean
  /** Undefined: it has no condition of ours. */
  readonly finding: Finding | undefined
}

export interface ObservedAllocation {
  readonly uid: string
  /** UID of the owning Service; undefined on what v0.4 left, which is adopted by name. */
  readonly serviceUid: string | undefined
  readonly deleting: boolean
  readonly hasFinalizer: boolean
  /** It carries the labels by which its holders find it. */
  readonly isFindable: boolean
  readonly type: AllocationType
  readonly entries: ReadonlyArray<Hold.Entry>
  readonly intents: ReadonlyArray<Hold.Intent>
  readonly acknowledgements: ReadonlyArray<Hold.Acknowledgement>
  /** The labels, finalizer and derived strings are those that `entries` call for. */
  readonly wellFormed: boolean
  readonly report: Report
}

export interface Wanted {
  readonly type: AllocationType
  /** Granted and assigned, present ones included, in the order in which they are shown. */
  readonly entries: ReadonlyArray<Hold.Entry>
  /** To be bought. */
  readonly purchases: ReadonlyArray<Purchase>
  /** Addresses whose entries must go at once, although nothing replaces them (their pool lost them). */
  readonly withdrawn: ReadonlyArray<Address>
  readonly report: Report
  /** Undefined: all that was asked for is there or coming. */
  readonly lack: Lack | undefined
}

export interface Purchase {
  readonly intent: Hold.Intent
  /** Undefined: it cannot be bought now. What is intended already stays so, since something may have been bought. */
  readonly location: string | undefined
}

/** `unknown`: the cloud could not be read yet, or there is no node. */
export type Route = "inPlace" | "elsewhere" | "unknown"

export interface Observed {
  readonly service: ObservedService | undefined
  readonly allocation: ObservedAllocation | undefined
  /** Hold ids that are fenced, or lower than their node's present one: nothing is awaited from them. */
  readonly isFenced: (holder: Hold.Holder) => boolean
  /** Whether the cloud routes the address to the node that the entry names. */
  readonly routeOf: (entry: Hold.Entry) => Route
  /** The reverse name that the cloud is to be told for the address; undefined: it has it, or none is asked for. */
  readonly nameToSet: (entry: Hold.Entry) => string | undefined
}
