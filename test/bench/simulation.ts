/**
 * How fast the simulator is: seeds of 10 nodes and 50 Services under the faults that each draws, all in this process after
 * a warm-up. Counted in the process's CPU time, its compiler and collector threads included, so that what else runs on
 * the machine changes the figure little.
 */
import type { Measurement } from "../../src/cli/Measure.ts"
import { run, type RunResult } from "../../src/simulation/Run.ts"
import { profile } from "./Profile.ts"

/** simulation.md of the design: simulated seconds per second and core. */
const BOUND_PER_SECOND = 1_500
const warmUpSeeds = [101, 102]
const seeds = [1, 2, 3, 4, 5, 6, 7, 8]
const profiledSeeds = [3, 4, 5, 6]

const size = { nodesCount: 10, servicesCount: 50 }

const cpuSeconds = (since?: NodeJS.CpuUsage): number => {
  const { system, user } = process.cpuUsage(since)
  return (user + system) / 1e6
}

interface Row {
  readonly result: RunResult
  readonly cpuSeconds: number
}

const rowOf = (seed: number): Row => {
  const before = process.cpuUsage()
  const result = run({ seed, ...size })
  return { result, cpuSeconds: cpuSeconds(before) }
}

const speedOf = (rows: ReadonlyArray<Row>): number =>
  Math.round(sum(rows, ({ result }) => result.simulatedMillis / 1000) / sum(rows, (row) => row.cpuSeconds))

const sum = (rows: ReadonlyArray<Row>, of: (row: Row) => number): number =>
  rows.reduce((total, row) => total + of(row), 0)

const cellsOf = (name: string, rows: ReadonlyArray<Row>): ReadonlyArray<string> => [
  name,
  String(Math.round(sum(rows, ({ result }) => result.simulatedMillis) / 1000)),
  sum(rows, (row) => row.cpuSeconds).toFixed(2),
  String(speedOf(rows)),
  String(sum(rows, ({ result }) => result.stepsCount)),
  String(sum(rows, ({ result }) => result.requestsCount)),
  rows.every(({ result }) => result.verdict === "passed") ? "passed" : (rows[0]?.result.verdict ?? "")
]

export const measure = (progress: (text: string) => void): Measurement => {
  for (const seed of warmUpSeeds) run({ seed, ...size })
  const rows = seeds.map((seed) => {
    progress(`seed ${seed}`)
    return rowOf(seed)
  })
  progress("where the time goes")
  const shares = profile(() => {
    for (const seed of profiledSeeds) run({ seed, ...size })
  })
  const perSecond = speedOf(rows)
  const failed = rows.filter(({ result }) => result.verdict !== "passed").map(({ result }) => result.seed)
  return {
    table: {
      columns: ["seed", "simulated s", "CPU s", "per CPU s", "steps", "requests", "verdict"],
      rows: [
        ...rows.map((row) => cellsOf(String(row.result.seed), [row])),
        cellsOf("all", rows),
        ...[...shares].map(([part, percent]) => [`  ${percent.toFixed(1).padStart(4)} % ${part}`])
      ]
    },
    bounds: [
      {
        says: `at least ${BOUND_PER_SECOND} simulated seconds in a second of CPU; measured ${perSecond}`,
        held: perSecond >= BOUND_PER_SECOND
      },
      { says: `every seed passes; not ${failed.join(", ")}`, held: failed.length === 0 }
    ],
    json: {
      simulatedSecondsPerSecond: perSecond,
      boundPerSecond: BOUND_PER_SECOND,
      nodesCount: size.nodesCount,
      servicesCount: size.servicesCount,
      seeds: rows.map(({ cpuSeconds, result }) => ({
        seed: result.seed,
        simulatedSeconds: result.simulatedMillis / 1000,
        cpuSeconds,
        stepsCount: result.stepsCount,
        requestsCount: result.requestsCount,
        verdict: result.verdict,
        trace: result.hash
      })),
      shares: [...shares].map(([part, sharePercent]) => ({ part, sharePercent }))
    }
  }
}
