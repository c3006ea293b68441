/** Nodes whose operator a fault keeps from acting: what they go on holding explains some violations, for a while. */
import { isOperator } from "./Actors.ts"
import { claimantsOf, claimsOf } from "./Claims.ts"
import type { GroundTruth } from "./GroundTruth.ts"

/** What an operator needs, once nothing hinders it, to learn that it was fenced and to let go. */
export const graceMillis = 5_000

/** Whether a fault keeps its operator from acting, renewing or being heard, or did a moment ago. */
export const isHindered = (truth: GroundTruth, node: string): boolean => {
  const record = truth.nodes.get(node)
  if (record?.impairedSince !== undefined) return true
  return record?.impairedUntil !== undefined && truth.nowMillis - record.impairedUntil <= graceMillis
}

/**
 * Why the node may answer for an address that was taken over from it: what the lease in its kernel does not cover. Undefined:
 * it may not.
 */
export const whyAnswers = (truth: GroundTruth, node: string, address: string): string | undefined => {
  const record = truth.nodes.get(node)
  if (record?.isUnfenced === true) return "no fence, or a clock that stood still"
  if (!isHindered(truth, node)) return undefined
  if (!isOperator(record?.putBy.get(address) ?? "")) return "put there by a person"
  return isRouted(truth, address) ? "routed by a provider" : undefined
}

const isRouted = (truth: GroundTruth, address: string): boolean =>
  claimantsOf(truth, address).some((each) =>
    claimsOf(each).some((claim) => claim.address === address && claim.cloudProvider !== undefined)
  )

/** Excused when of these nodes only such do wrong as are hindered. */
export const excuseOf = (
  truth: GroundTruth,
  nodes: ReadonlyArray<string>,
  isExcused: (node: string) => boolean = (node) => isHindered(truth, node)
): { readonly excuse?: string } =>
  nodes.length > 0 && nodes.every(isExcused) ? { excuse: "hindered or disowned" } : {}
