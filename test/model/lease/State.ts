/** One state of the lease protocol: kernels, agents, the API server's objects, what the controllers know. */

/** What is in a machine's kernel; it outlives the agents. */
export interface Kernel {
  /** Ticks that the element of the address in `leased` has left; 0: the kernel drops what asks for the address. */
  readonly leased: number
  /** The process whose newest ticket lies there, counted from 1; 0: none. */
  readonly ticketOf: number
  readonly ticketLeft: number
  /** The process that claimed `owner`. */
  readonly owner: number
}

/** An element of a machine whose lease is not modelled. */
export const STEADY = 200

export const doings = [
  "off",
  /** It must read its lease. */
  "started",
  /** The lease is another machine's: it must be seen unchanged for L. */
  "watching",
  /** Everything held under a fenced id must go. */
  "dropping",
  /** It knows what to register with. */
  "ready",
  "registering",
  /** Registered, `owner` is not claimed yet. */
  "claiming",
  "listing",
  "idle",
  /** The ticket lies in the kernel, the batch is not computed. */
  "ticketed",
  /** The batch is with the tool. */
  "waiting",
  /** The element is deleted, and that is not acknowledged yet. */
  "acknowledging",
  /** It has claimed `owner`, and must see that the lease is still its own. */
  "confirming",
  /** Its node goes down: everything is deleted, and the lease does not say so yet. */
  "parting"
] as const
export type Doing = (typeof doings)[number]

/**
 * The write of a lease that is under way. "dead": the version that it names is no longer the newest, so it will be refused.
 * "applied": it succeeded, and the agent does not know.
 */
export const requests = ["none", "flying", "applied", "dead"] as const
export type Request = (typeof requests)[number]

export interface Process {
  readonly doing: Doing
  /** Generation of the hold id that it registers or has registered. */
  readonly generation: number
  readonly request: Request
  /** The version of the lease that it wrote or read last is the newest. */
  readonly knowsNewest: boolean
  /** Ticks since the first sending of the write under way; while watching, since the version was first seen. */
  readonly sent: number
  /** Ticks since r; saturated: it has none that counts. */
  readonly r: number
  /** The version of the IPAllocation that it acts on. */
  readonly view: number
  /** The lowest epoch that it may still serve (R2). */
  readonly floor: number
  /** The timeout that the batch with the tool sets; 0: none. */
  readonly batch: number
  /** The same of a batch with a tool that was given up. */
  readonly stray: number
  /** What it announces in its next write is the long duration. */
  readonly isLong: boolean
  readonly sentLong: boolean
  /** What it sent says that everything was let go under this hold id. */
  readonly sentReleased: boolean
  /** r is of a write that announced the long duration. */
  readonly rIsLong: boolean
  /** It was told to hand over, or to let go as its node goes down. */
  readonly isLeaving: boolean
}

export interface NodeLease {
  readonly generation: number
  readonly isFenced: boolean
  /** The machine, as its `boot_id` tells. */
  readonly boot: number
  /** The process, as its nonce tells. */
  readonly writer: number
  readonly isLong: boolean
  /** Everything was let go in peace: it may be fenced at once, and the id is not used again. */
  readonly isReleased: boolean
}

export interface LeaseView {
  readonly generation: number
  readonly isFenced: boolean
  readonly boot: number
  readonly isLong: boolean
  readonly isReleased: boolean
  readonly isNewest: boolean
  /** Ticks since it first saw this version. */
  readonly quiet: number
}

export interface Controller {
  readonly leases: ReadonlyArray<LeaseView>
  readonly view: number
}

export interface State {
  readonly kernels: ReadonlyArray<Kernel>
  readonly processes: ReadonlyArray<Process>
  readonly leases: ReadonlyArray<NodeLease>
  readonly allocation: number
  readonly controllers: ReadonlyArray<Controller>
  readonly moves: number
  readonly handovers: number
  /** An epoch was given that is not above the one before. */
  readonly isEpochBroken: boolean
}

export const off: Process = {
  doing: "off",
  generation: 0,
  request: "none",
  knowsNewest: false,
  sent: 0,
  r: 0,
  view: 0,
  floor: 0,
  batch: 0,
  stray: 0,
  isLong: false,
  sentLong: false,
  sentReleased: false,
  rIsLong: false,
  isLeaving: false
}

/** An index that the configuration vouches for. */
export const at = <A>(items: ReadonlyArray<A>, index: number): A => {
  const item = items[index]
  if (item === undefined) throw new Error(`nothing at ${index}`)
  return item
}

export const withProcess = (state: State, index: number, changes: Partial<Process>): State => ({
  ...state,
  processes: state.processes.with(index, { ...at(state.processes, index), ...changes })
})

export const withKernel = (state: State, machine: number, changes: Partial<Kernel>): State => ({
  ...state,
  kernels: state.kernels.with(machine, { ...at(state.kernels, machine), ...changes })
})
