/** All invariants, in the order of their ids. */
import type { Liveness, Safety } from "./GroundTruth.ts"
import { L1 } from "./L1.ts"
import { S1 } from "./S1.ts"
import { S2 } from "./S2.ts"
import { S8 } from "./S8.ts"

export const safety: ReadonlyArray<Safety> = [S1, S2, S8]
export const liveness: ReadonlyArray<Liveness> = [L1]
