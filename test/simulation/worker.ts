/** Runs the seeds that it is sent, one after the other. A seed divisible by 100 runs twice, and must leave the same trace. */
import { parentPort } from "node:worker_threads"
import { recordOf, type SeedRecord } from "../../src/simulation/Coverage.ts"
import { run, type RunOptions } from "../../src/simulation/Run.ts"

const twiceEvery = 100

export const runSeed = (options: RunOptions): SeedRecord => {
  const record = recordOf(run(options))
  if (options.seed % twiceEvery !== 0) return record
  const { hash } = run(options)
  if (hash === record.hash) return record
  const message = `the trace of seed ${options.seed} is ${record.hash} and, run again, ${hash}: something is not deterministic`
  return { ...record, verdict: "simulator", violations: [{ invariant: "simulator", message }] }
}

parentPort?.on("message", (options: RunOptions) => {
  try {
    parentPort?.postMessage(runSeed(options))
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    const violations = [{ invariant: "simulator", message }]
    const record: SeedRecord = {
      seed: options.seed,
      verdict: "simulator",
      violations,
      hash: "",
      simulatedMillis: 0,
      seen: [],
      excused: {}
    }
    parentPort?.postMessage(record)
  }
})
