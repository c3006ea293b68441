/** What the NodeLeases say. */
import type { Lease } from "../api/Lease.ts"
import { nodeLeaseAnnotations as keys } from "../api/Names.ts"
import { clockRateError } from "../domain/FailoverTimes.ts"

/** Undefined: it is the lease of no node. */
export const holdIdOf = ({ metadata }: Lease): { readonly node: string; readonly holdId: string } | undefined => {
  const [node, holdId] = [metadata.annotations?.[keys.node], metadata.annotations?.[keys.holdId]]
  return node === undefined || holdId === undefined ? undefined : { node, holdId }
}

export const fencedOf = ({ metadata }: Lease): string | undefined => metadata.annotations?.[keys.fenced]

/** A node registers, leaves, or is fenced. */
export const isLifeOfNode = (before: Lease | undefined, after: Lease | undefined): boolean => {
  if (after === undefined || before === undefined) return true
  return fencedOf(before) !== fencedOf(after) || holdIdOf(before)?.holdId !== holdIdOf(after)?.holdId
}

/** Nothing of a lease has changed but until when it lasts, for a node or for the leader. */
export const isRenewal = (before: Lease | undefined, after: Lease | undefined): boolean =>
  !isLifeOfNode(before, after) && before?.spec?.holderIdentity === after?.spec?.holderIdentity

/**
 * By how much longer than `quietMillis` some silent node may have to be waited for, since it announced so when its operator
 * was to be replaced (docs/failover.md). Nobody waits for one that is fenced.
 */
export const announcedBeyondMillis = (leases: Iterable<Lease>, quietMillis: number): number =>
  Math.max(
    0,
    ...[...leases].flatMap((lease) => {
      const registered = holdIdOf(lease)
      if (registered === undefined || fencedOf(lease) === registered.holdId) return []
      return Number(lease.metadata.annotations?.[keys.durationMillis] ?? "0") - quietMillis
    })
  )

/**
 * How long a machine that boots may wait until it registers: for what the lease of its boot before announced, which also a
 * fenced one did, from when it is seen (docs/failover-model.md, R9).
 */
export const announcedMillis = (leases: Iterable<Lease>): number =>
  Math.max(
    0,
    ...[...leases]
      .filter((lease) => holdIdOf(lease) !== undefined)
      .map(({ metadata }) => Number(metadata.annotations?.[keys.durationMillis] ?? "0"))
  )

/** Whoever takes a lease over counts on its own clock, which may be too fast by `clockRateError`. */
export const mayHaveRunOut = (elapsedMillis: number, leaseMillis: number): boolean =>
  elapsedMillis * (1 + clockRateError) >= leaseMillis
