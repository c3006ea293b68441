/** Nodes whose operator a fault keeps from acting: what they go on holding explains some violations, for a while. */
import type { GroundTruth } from "./GroundTruth.ts"

/** What an operator needs, once nothing hinders it, to learn that it was fenced and to let go. */
export const graceMillis = 5_000

/**
 * Until the kernel itself lets go when a lease runs out, a holder that a fault keeps from acting or renewing goes on
 * answering after it was fenced.
 */
export const isHindered = (truth: GroundTruth, node: string): boolean => {
  const record = truth.nodes.get(node)
  if (record?.impairedSince !== undefined) return true
  return record?.impairedUntil !== undefined && truth.nowMillis - record.impairedUntil <= graceMillis
}

/** Excused when of these nodes only such do wrong, or such as `isOtherwise` excuses. */
export const excuseOf = (
  truth: GroundTruth,
  nodes: ReadonlyArray<string>,
  isOtherwise: (node: string) => boolean = () => false
): { readonly excuse?: string } =>
  nodes.length > 0 && nodes.every((node) => isHindered(truth, node) || isOtherwise(node))
    ? { excuse: `hindered or disowned: ${nodes.join(", ")}` }
    : {}
