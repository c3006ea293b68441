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
  /** Bounds: restarts of the agents that are asked, and for how many ticks the holder's machine stands still, once. */
  readonly restartsMax: number
  readonly stillMax: number
}

export interface Setting extends Configuration {
  readonly without: EvidenceGuard | undefined
}
