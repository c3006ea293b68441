/** What many seeds together have seen: which faults changed something, which two did in one seed, which situations came up. */
import type { RunResult } from "./Run.ts"

/** What is kept of a seed: a line of a log that a later run goes on from. */
export interface SeedRecord {
  readonly seed: number
  readonly verdict: RunResult["verdict"]
  readonly violations: RunResult["violations"]
  readonly hash: string
  readonly simulatedMillis: number
  readonly seen: ReadonlyArray<string>
  readonly excused: { readonly [invariant: string]: number }
}

export const recordOf = (result: RunResult): SeedRecord => ({
  seed: result.seed,
  verdict: result.verdict,
  violations: result.violations,
  hash: result.hash,
  simulatedMillis: result.simulatedMillis,
  seen: [...result.seen.keys()],
  excused: Object.fromEntries(result.excused)
})

/** Two flags, in alphabetical order. */
export type Pair = readonly [string, string]

export interface Wanted {
  readonly faults: ReadonlyArray<string>
  /** Pairs that cannot both change something in one seed. */
  readonly infeasible: ReadonlyArray<Pair>
  readonly sometimes: ReadonlyArray<string>
}

export interface Coverage {
  readonly seedsCount: number
  readonly faults: ReadonlyMap<string, number>
  readonly sometimes: ReadonlyMap<string, number>
  readonly pairsSeen: number
  readonly pairsFeasible: number
  readonly pairsUnseen: ReadonlyArray<Pair>
  readonly excused: ReadonlyMap<string, number>
}

const ordered = (one: string, other: string): Pair => (one < other ? [one, other] : [other, one])

const pairsOf = (names: ReadonlyArray<string>): ReadonlyArray<Pair> =>
  names.flatMap((one, index) => names.slice(index + 1).map((other) => ordered(one, other)))

const keyOf = (pair: Pair): string => pair.join(" ")

const zeros = (names: ReadonlyArray<string>) => new Map(names.map((name) => [name, 0]))

export const cover = (records: ReadonlyArray<SeedRecord>, wanted: Wanted): Coverage => {
  const [faults, sometimes] = [zeros(wanted.faults), zeros(wanted.sometimes)]
  const pairs = new Set<string>()
  const excused = new Map<string, number>()
  for (const record of records) {
    for (const counts of [faults, sometimes]) {
      for (const name of record.seen) if (counts.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    for (const pair of pairsOf(record.seen.filter((name) => faults.has(name)))) pairs.add(keyOf(pair))
    for (const [id, times] of Object.entries(record.excused)) excused.set(id, (excused.get(id) ?? 0) + times)
  }
  const infeasible = new Set(wanted.infeasible.map(([one, other]) => keyOf(ordered(one, other))))
  const feasible = pairsOf(wanted.faults).filter((pair) => !infeasible.has(keyOf(pair)))
  const unseen = feasible.filter((pair) => !pairs.has(keyOf(pair)))
  return {
    seedsCount: records.length,
    faults,
    sometimes,
    pairsSeen: feasible.length - unseen.length,
    pairsFeasible: feasible.length,
    pairsUnseen: unseen,
    excused
  }
}

interface Table {
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
}

const rows = (kind: string, counts: ReadonlyMap<string, number>): Table["rows"] =>
  [...counts].map(([name, seeds]) => [kind, name, String(seeds)])

/** In how many seeds each was seen. */
export const tableOf = ({ excused, faults, pairsFeasible, pairsSeen, seedsCount, sometimes }: Coverage): Table => ({
  columns: ["KIND", "WHAT", "SEEDS"],
  rows: [
    ["all", "seeds", String(seedsCount)],
    ...rows("fault", faults),
    ["pairs of faults", `seen of ${pairsFeasible} feasible`, String(pairsSeen)],
    ...rows("sometimes", sometimes),
    ...rows("excused (times)", excused)
  ]
})
