/** What one exploration of evidence and promises has. Node 0 holds the address; the others are asked. */
import type { EvidenceGuard } from "../Guard.ts"

export interface Configuration {
  readonly nodes: number
  /** Lists of voters, by node; the holder begins with the first and goes on to the next. */
  readonly lists: ReadonlyArray<ReadonlyArray<number>>
  /** X, tau, L = V, in ticks. */
  readonly serve: number
  readonly ticket: number
  readonly quiet: number
  /** Bound: restarts of the agents that are asked. */
  readonly restartsMax: number
}

export interface Setting extends Configuration {
  readonly without: EvidenceGuard | undefined
}

/** Others who must vouch, so that they and the holder are a strict majority of the list. */
export const vouchersNeeded = (list: ReadonlyArray<number>): number => Math.floor(list.length / 2)

/** Others who must promise: at least half of the list's length. */
export const promisesNeeded = (list: ReadonlyArray<number>): number => Math.ceil(list.length / 2)
