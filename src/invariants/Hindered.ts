/** Nodes whose operator a fault keeps from acting: what they go on holding explains some violations, for a while. */
import { isOperator } from "./Actors.ts"
import type { GroundTruth } from "./GroundTruth.ts"
import { claimsOn, isBound } from "./Losses.ts"
import { fencedOf, holdIdOf } from "./Registrations.ts"

/** What an operator needs, once nothing hinders it, to learn that it was fenced and to let go. */
export const graceMillis = 5_000

/** Whether a fault keeps its operator from acting, renewing or being heard, or did a moment ago. */
export const isHindered = (truth: GroundTruth, node: string): boolean => {
  const record = truth.nodes.get(node)
  if (record?.impairedSince !== undefined) return true
  return record?.impairedUntil !== undefined && truth.nowMillis - record.impairedUntil <= graceMillis
}

const isFenced = ({ leases }: GroundTruth, node: string): boolean =>
  [...leases.values()].some((lease) => {
    const registered = holdIdOf(lease)
    return registered?.node === node && fencedOf(lease) === registered.holdId
  })

/**
 * Why the node may answer for an address that was taken over from it: what the lease in its kernel does not cover. What a
 * provider routes it may also have left to another without having been asked (a planned move); but once the node is fenced, its
 * lease has run out for all but what the pool keeps. Undefined: it may not.
 */
export const whyAnswers = (truth: GroundTruth, node: string, address: string): string | undefined => {
  const record = truth.nodes.get(node)
  if (record?.isUnfenced === true) return "no fence, or a clock that stood still"
  if (!isHindered(truth, node)) return undefined
  if (!isOperator(record?.putBy.get(address) ?? "")) return "put there by a person"
  if (!claimsOn(truth, address).some(({ cloudProvider }) => cloudProvider !== undefined)) return undefined
  return isBound(truth, address, "keep") || !isFenced(truth, node) ? "routed by a provider" : undefined
}

/** Excused when of these nodes only such do wrong as are hindered. */
export const excuseOf = (
  truth: GroundTruth,
  nodes: ReadonlyArray<string>,
  isExcused: (node: string) => boolean = (node) => isHindered(truth, node)
): { readonly excuse?: string } =>
  nodes.length > 0 && nodes.every(isExcused) ? { excuse: "hindered or disowned" } : {}
