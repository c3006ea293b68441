/**
 * S13: one bad object never blocks others (they are L1's, whatever stands beside them), is reported (here: a pool by its
 * conditions, a Service by L2), and recovers when it is put right (the run does, and demands L1 of it).
 */
import type { GroundTruth, Liveness, PoolTruth } from "./GroundTruth.ts"
import { isReadable } from "./Pools.ts"

const isReported = ({ status }: PoolTruth): boolean =>
  (status?.conditions ?? []).some(
    ({ message, status, type }) => type === "Degraded" && status === "True" && message !== ""
  )

const unreadable = ({ spec }: PoolTruth): string | undefined => (spec.addresses ?? []).find((text) => !isReadable(text))

export const S13: Liveness = {
  id: "S13",
  title: "one bad object blocks nobody, is reported, and recovers when reverted",
  unmet: (truth: GroundTruth) =>
    [...truth.pools].flatMap(([key, pool]) => {
      const text = unreadable(pool)
      const isSilent = text !== undefined && pool.metadata.deletionTimestamp === undefined && !isReported(pool)
      return isSilent ? [{ invariant: "S13", about: key, message: `${key} lists "${text}", and does not say so` }] : []
    })
}
