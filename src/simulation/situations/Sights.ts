/** What a detector may look at. */
import type { TruthEvent } from "../../invariants/GroundTruth.ts"
import type { MemoryKubernetes } from "../../memory/kubernetes/MemoryKubernetes.ts"
import type { LinkObserver } from "../world/Links.ts"
import type { World } from "../world/World.ts"

/** One commit of the API server, as it is stored. */
export type Commit = Parameters<Parameters<MemoryKubernetes["truth"]["subscribe"]>[0]>[0]

export interface Sights extends Partial<LinkObserver> {
  readonly change?: (commit: Commit) => void
  readonly event?: (event: TruthEvent) => void
}

export interface Situation {
  readonly name: string
  readonly title: string
  /** A detector for one run; `note` says that the situation is there. */
  readonly detect: (world: World, note: () => void) => Sights
}
