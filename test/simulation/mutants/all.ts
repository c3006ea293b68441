/** All mutants. */
import { cloudMutants } from "./cloud.ts"
import { controllerMutants } from "./controller.ts"
import { failoverMutants } from "./failover.ts"
import type { Mutant } from "./Mutant.ts"
import { operatorMutants } from "./operator.ts"
import { reconcileMutants } from "./reconcile.ts"
import { witnessMutants } from "./witness.ts"

export const mutants: ReadonlyArray<Mutant> = [
  ...controllerMutants,
  ...failoverMutants,
  ...operatorMutants,
  ...reconcileMutants,
  ...witnessMutants,
  ...cloudMutants
]
