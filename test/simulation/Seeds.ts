/** Many seeds over several workers, with a log that a later run goes on from. */
import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { Worker } from "node:worker_threads"
import { Effect } from "effect"
import type { SeedRecord } from "../../src/simulation/Coverage.ts"
import type { RunOptions } from "../../src/simulation/Run.ts"

export interface Plan {
  readonly seeds: ReadonlyArray<number>
  readonly options: Omit<RunOptions, "seed">
  readonly workersCount: number
  /** One JSON object a line for each seed that ran; those that are in it already are not run again. */
  readonly log: string | undefined
  /** After each seed. */
  readonly onSeed: (record: SeedRecord, done: number, all: number) => void
  /** Ends after the first failure. */
  readonly stopsAtFailure: boolean
}

const readLog = (file: string | undefined): ReadonlyArray<SeedRecord> =>
  file === undefined || !existsSync(file)
    ? []
    : readFileSync(file, "utf8")
        .split("\n")
        // A run that was killed may have left half a line.
        .filter((line) => line.endsWith("}"))
        .map((line): SeedRecord => JSON.parse(line))

/** A worker that takes one seed after the other until none is left. */
const work = (plan: Plan, left: Array<number>, onRecord: (record: SeedRecord) => void): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const worker = new Worker(new URL("worker.ts", import.meta.url))
    const next = () => {
      const seed = left.shift()
      if (seed !== undefined) worker.postMessage({ ...plan.options, seed })
      else void worker.terminate().then(() => resume(Effect.void))
    }
    worker.on("message", (record: SeedRecord) => {
      onRecord(record)
      next()
    })
    worker.on("error", (error) => resume(Effect.die(error)))
    next()
    return Effect.promise(() => worker.terminate())
  })

/** Records of all seeds of the plan, those of the log included, in the order of the seeds. */
export const runAll = Effect.fnUntraced(function* (plan: Plan) {
  const wanted = new Set(plan.seeds)
  const records = readLog(plan.log).filter(({ seed }) => wanted.has(seed))
  for (const { seed } of records) wanted.delete(seed)
  const left = [...wanted]
  const onRecord = (record: SeedRecord) => {
    records.push(record)
    if (plan.log !== undefined) appendFileSync(plan.log, `${JSON.stringify(record)}\n`)
    if (record.verdict !== "passed" && plan.stopsAtFailure) left.length = 0
    plan.onSeed(record, records.length, plan.seeds.length)
  }
  const workers = Array.from({ length: Math.min(plan.workersCount, left.length) }, () => work(plan, left, onRecord))
  yield* Effect.all(workers, { concurrency: "unbounded" })
  return records.toSorted((one, other) => one.seed - other.seed)
})
