/** Makes a failing run smaller for as long as it fails in the same way: fewer faults, nodes, Services, a shorter time. */
import type { RunOptions, RunResult } from "./Run.ts"

export interface Shrunk {
  readonly options: RunOptions
  readonly result: RunResult
  readonly runsCount: number
}

/** The invariants that a run broke: what must stay the same. */
const failureOf = ({ verdict, violations }: RunResult): string =>
  `${verdict} ${[...new Set(violations.map(({ invariant }) => invariant))].join(" ")}`

/** Smaller numbers than this one, the boldest first: half of the way each time. */
const lessThan = (value: number, least: number, step = 1): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let gap = value - least; gap >= step; gap = Math.floor(gap / 2 / step) * step) found.push(value - gap)
  return found
}

/** Smaller runs, the boldest first. */
const candidates = (options: RunOptions, { faultMillis, faults, nodesCount, servicesCount }: RunResult) => {
  const fewer = [
    ...(faults.length > 1 ? [[], ...halvesOf(faults)] : []),
    ...faults.map((name) => faults.filter((other) => other !== name))
  ]
  return [
    ...fewer.map((only): RunOptions => ({ ...options, only })),
    ...lessThan(faultMillis, 10_000, 1_000).map((millis): RunOptions => ({ ...options, faultMillis: millis })),
    ...lessThan(servicesCount, 1).map((count): RunOptions => ({ ...options, servicesCount: count })),
    ...lessThan(nodesCount, 1).map((count): RunOptions => ({ ...options, nodesCount: count }))
  ]
}

const halvesOf = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> => {
  const middle = Math.ceil(items.length / 2)
  return [items.slice(0, middle), items.slice(middle)]
}

/** `run` is the simulator. Ends when nothing smaller fails so, or after so many runs. */
export const shrink = (
  options: RunOptions,
  failed: RunResult,
  run: (options: RunOptions) => RunResult,
  runsMax = 200
): Shrunk => {
  let smallest: Shrunk = {
    options: { ...options, only: failed.faults },
    result: failed,
    runsCount: 0
  }
  let runsCount = 0
  const tryOne = (candidate: RunOptions): boolean => {
    if (runsCount >= runsMax) return false
    runsCount++
    const result = run(candidate)
    if (failureOf(result) !== failureOf(failed)) return false
    smallest = { options: candidate, result, runsCount }
    return true
  }
  while (candidates(smallest.options, smallest.result).some(tryOne)) continue
  return { ...smallest, runsCount }
}
