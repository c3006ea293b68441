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

/** Whoever takes a lease over counts on its own clock, which may be too fast by `clockRateError`. */
export const mayHaveRunOut = (elapsedMillis: number, leaseMillis: number): boolean =>
  elapsedMillis * (1 + clockRateError) >= leaseMillis
