/**
 * Under which a node's agent holds addresses: `generation.random` (failover R1). It survives restarts of the agent on one
 * boot; every fence raises the generation. Two ids are compared by generation and never merely told apart: an id with a
 * *higher* generation than the one observed says that the observer is behind, not that the other was fenced.
 */
import { Result } from "effect"
import type { Brand } from "effect"

export type HoldId = string & Brand.Brand<"plenuslb/HoldId">

/** The random part tells apart two ids that were made at one generation by mistake; 16 hex characters are enough. */
export const make = (generation: number, random: string): HoldId => `${generation}.${random}` as HoldId

/** The failure is a sentence. */
export const parse = (text: string): Result.Result<HoldId, string> =>
  /^(0|[1-9]\d{0,14})\.[0-9a-z]{1,32}$/.test(text)
    ? Result.succeed(text as HoldId)
    : Result.fail(`"${text}" is no hold id. Expected generation.random, such as 3.9f86d081884c7d65.`)

export const generationOf = (id: HoldId): number => Number(id.slice(0, id.indexOf(".")))

/** The id after a fence of `before`, or the first one. */
export const next = (before: HoldId | undefined, random: string): HoldId =>
  make(before === undefined ? 1 : generationOf(before) + 1, random)

/** The one of the higher generation. */
export const newer = (a: HoldId | undefined, b: HoldId | undefined): HoldId | undefined =>
  a === undefined || (b !== undefined && generationOf(b) > generationOf(a)) ? b : a

export type Standing =
  /** It is the one that its node holds under. */
  | "Current"
  /** It was fenced: nothing under it is served any more, reassign what names it. */
  | "Fenced"
  /** The observed lease is older than the allocation that names this id: look again, change nothing. */
  | "Ahead"
  /** Same generation, another id: two agents registered from one state. Nothing proves that it was fenced. */
  | "Foreign"

/** How an id that an allocation names stands to what the node's lease says. */
export const standing = (named: HoldId, observed: { readonly holdId: HoldId; readonly fenced: boolean }): Standing => {
  if (named === observed.holdId) return observed.fenced ? "Fenced" : "Current"
  const difference = generationOf(named) - generationOf(observed.holdId)
  if (difference < 0) return "Fenced"
  return difference > 0 ? "Ahead" : "Foreign"
}
