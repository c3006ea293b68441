/**
 * One state of several IPAllocations with one address: two Services, a claim of each, which leaders with old knowledge
 * may create for one address. Leases and hold ids are not in it: whoever is named here is alive and not fenced.
 */
import type { SharingGuard } from "../Guard.ts"

export interface Configuration {
  readonly controllers: number
  /** The two Services may share an address: the later one follows the other's claim. */
  readonly mayShare: boolean
  /** Bounds: claims that are ever created, planned moves. */
  readonly createdMax: number
  readonly movesMax: number
}

export interface Setting extends Configuration {
  readonly without: SharingGuard | undefined
}

export const SERVICES = 2
export const NODES = 2

export interface Claim {
  /** Counted from 1 in the order of creation; 0: there is none. */
  readonly uid: number
  /** The node that is to serve. A follower has that of its lead. */
  readonly node: number
  /** UID of the lead; 0: it leads. */
  readonly follows: number
  /** The node before, which has not acknowledged that it let go; -1: none. */
  readonly previous: number
  /** Being deleted, or withdrawn: its node must let go. */
  readonly isLeaving: boolean
  /** It is found by the address's label. */
  readonly isLabelled: boolean
}

export const none: Claim = { uid: 0, node: 0, follows: 0, previous: -1, isLeaving: false, isLabelled: false }

export interface Agent {
  /** By Service: the UID of the claim that it serves the address for; 0: none. It serves while there is any. */
  readonly serves: ReadonlyArray<number>
  /** It found no other claim when it listed for this UID, and will arm; 0: it is idle. */
  readonly checked: number
}

/** What a controller knows; it may be any older state of each claim. */
export interface View {
  readonly claim: Claim
  readonly isNewest: boolean
}

export interface State {
  readonly claims: ReadonlyArray<Claim>
  readonly agents: ReadonlyArray<Agent>
  readonly controllers: ReadonlyArray<ReadonlyArray<View>>
  readonly created: number
  readonly moves: number
}
