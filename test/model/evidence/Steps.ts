/** What the steps of holder and leader share, and how the functions that ship see a state of the model. */
import * as Witness from "../../../src/domain/Witness.ts"
import type { Emit } from "../explorer/System.ts"
import type { EvidenceGuard } from "../Guard.ts"
import { nodeName } from "../lease/Configuration.ts"
import { at } from "../lease/State.ts"
import type { Setting } from "./Configuration.ts"
import type { State, Voter } from "./State.ts"

export interface World {
  readonly setting: Setting
  readonly lacks: (guard: EvidenceGuard) => boolean
}

export type Steps = (world: World, state: State, emit: Emit<State>) => void

export const nameOf = nodeName

/** The one that node 0 has: what follows after a fence is not in this part. */
export const holdId = "1.a"

const nothing = Witness.newMemory(0)
const given = Witness.give(nothing, holdId)

/** When it vouched, the model keeps in ticks. */
export const memoryOf = ({ hasGiven }: Voter): Witness.Memory => (hasGiven ? given : nothing)

export const votersOf = ({ setting }: World, list: number): Witness.Voters => at(setting.lists, list).map(nameOf)

/** Of the others, in words of the list. */
export const whoSay = ({ voters }: State, says: (voter: Voter) => boolean): ReadonlyArray<string> =>
  voters.flatMap((voter, index) => (says(voter) ? [nameOf(index + 1)] : []))
