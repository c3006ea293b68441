/** One state of evidence and promises: the holder, those who are asked, the lease, the leader and its round. */

export const doings = ["idle", "ticketed", "waiting"] as const
export const requests = ["none", "flying", "applied"] as const
export const rounds = ["counting", "first", "second"] as const

/** What a batch may be dated by: r, or the moment at which the voters were asked. */
export const bases = ["r", "evidence"] as const

export interface Holder {
  /** Ticks that the element has left. */
  readonly leased: number
  readonly ticketLeft: number
  readonly doing: (typeof doings)[number]
  readonly basis: (typeof bases)[number]
  readonly batch: number
  /** Ticks since r, saturated. */
  readonly r: number
  readonly request: (typeof requests)[number]
  readonly sent: number
  readonly knowsNewest: boolean
  /** The list that was last acknowledged, and that of the write under way. */
  readonly list: number
  readonly sentList: number
  /** A question is open; its answers date from the asking. */
  readonly isAsking: boolean
  readonly asked: number
}

/** A node that is asked. */
export interface Voter {
  /** It said so to the question that is open. */
  readonly hasVouched: boolean
  /** Ticks since it last vouched, as far as it remembers; a restarted one remembers its start. Saturated at V. */
  readonly vouched: number
  readonly hasPromised: boolean
  /** It has neither vouched nor restarted since that first answer. */
  readonly isClean: boolean
  readonly hasConfirmed: boolean
  /** It has confirmed a promise for this hold id, and its agent has not been restarted since. */
  readonly hasGiven: boolean
}

/** The holder's machine stands still with its clock, as when a hypervisor pauses it: `before` it does, and `after`. */
export const machines = ["before", "still", "after"] as const

export interface State {
  readonly holder: Holder
  readonly voters: ReadonlyArray<Voter>
  readonly isFenced: boolean
  readonly leaseList: number
  readonly leader: {
    readonly isNewest: boolean
    readonly quiet: number
    readonly list: number
    readonly round: (typeof rounds)[number]
  }
  readonly restarts: number
  readonly machine: (typeof machines)[number]
  /** Ticks for which it may still stand still; since it goes on, ticks since then, saturated. */
  readonly machineTicks: number
}
