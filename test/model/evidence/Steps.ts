/** What the steps of holder and leader share. */
import type { Emit } from "../explorer/System.ts"
import type { EvidenceGuard } from "../Guard.ts"
import type { Setting } from "./Configuration.ts"
import type { State } from "./State.ts"

export interface World {
  readonly setting: Setting
  readonly lacks: (guard: EvidenceGuard) => boolean
}

export type Steps = (world: World, state: State, emit: Emit<State>) => void
