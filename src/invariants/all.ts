/**
 * All invariants, in the order of their ids. L4, L5 and L6 are these in other circumstances (ten quiet minutes, a core that heals alone, a neighbour that fails for ever), which the run
 * brings about.
 */
import type { Liveness, Safety } from "./GroundTruth.ts"
import { L1 } from "./L1.ts"
import { L2 } from "./L2.ts"
import { L3 } from "./L3.ts"
import { S1 } from "./S1.ts"
import { S10 } from "./S10.ts"
import { S11 } from "./S11.ts"
import { S12 } from "./S12.ts"
import { S13 } from "./S13.ts"
import { S14 } from "./S14.ts"
import { S15 } from "./S15.ts"
import { S16 } from "./S16.ts"
import { S17 } from "./S17.ts"
import { S2 } from "./S2.ts"
import { S3 } from "./S3.ts"
import { S4 } from "./S4.ts"
import { S5 } from "./S5.ts"
import { S6 } from "./S6.ts"
import { S7 } from "./S7.ts"
import { S8 } from "./S8.ts"
import { S9 } from "./S9.ts"

export const safety: ReadonlyArray<Safety> = [S1, S2, S3, S4, S5, S6, S7, S8, S9, S10, S11, S12, S14, S15, S16, S17]
/** S13 is here, since it takes a moment to report. */
export const liveness: ReadonlyArray<Liveness> = [L1, L2, L3, S13]
