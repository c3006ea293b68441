/** All faults; the order is part of what a seed means. */
import type { Fault } from "../Fault.ts"
import { controllerKilled } from "./controllerKilled.ts"
import { operatorKilled } from "./operatorKilled.ts"
import { powerLoss } from "./powerLoss.ts"
import { replyLost } from "./replyLost.ts"

export const faults: ReadonlyArray<Fault> = [controllerKilled, operatorKilled, powerLoss, replyLost]
