/** What pools say of their addresses on a node that cannot renew, in the words of the invariants. */
import type { Allocation } from "../api/IPAllocation.ts"
import { type ControlPlaneLoss, lossOf } from "../domain/ControlPlaneLoss.ts"
import { claimantsOf, claimsOf } from "./Claims.ts"
import type { GroundTruth, PoolTruth } from "./GroundTruth.ts"

/** Pools of both kinds may share a name: those of a cloud are for what is of a cloud. Undefined: there is none now. */
export const poolOf = ({ pools }: GroundTruth, { cloudProvider, pool }: Allocation): PoolTruth | undefined =>
  ["PersistentIPPool", "EphemeralIPPool"]
    .flatMap((kind) => pools.get(`${kind}/${pool}`) ?? [])
    .find(({ spec }) => (spec.cloudIntegration !== undefined) === (cloudProvider !== undefined))

const claimLoss = (truth: GroundTruth, claim: Allocation): ControlPlaneLoss =>
  lossOf(poolOf(truth, claim)?.spec.options?.onControlPlaneLoss, claim.cloudProvider !== undefined)

/** What claims the address, now. */
export const claimsOn = (truth: GroundTruth, address: string): ReadonlyArray<Allocation> =>
  claimantsOf(truth, address).flatMap((each) => claimsOf(each).filter((claim) => claim.address === address))

/** Whether all that claim it say this of it, and something does. */
export const isBound = (truth: GroundTruth, address: string, loss: ControlPlaneLoss): boolean => {
  const claims = claimsOn(truth, address)
  return claims.length > 0 && claims.every((claim) => claimLoss(truth, claim) === loss)
}
