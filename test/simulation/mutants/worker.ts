/**
 * A process whose programs carry one mutant, or none (an empty name). It runs what it is sent: a seed, or everything that has
 * no faults, and answers the first violation.
 */
import { registerHooks } from "node:module"
import { fileURLToPath } from "node:url"
import { join } from "node:path"
import type { Violation } from "../../../src/invariants/GroundTruth.ts"
import { names, readScript } from "../scripts.ts"
import { mutants } from "./all.ts"
import { mutate } from "./Mutant.ts"

/** A seed under all its faults, or without any; or all scenarios that break nothing. */
export type Task =
  | { readonly type: "seed"; readonly seed: number; readonly isFaultFree: boolean }
  | { readonly type: "scenarios" }

export interface Answer {
  /** What was run when it was violated. */
  readonly where: string
  readonly violation: Pick<Violation, "invariant" | "message"> | undefined
}

const root = join(import.meta.dirname, "../../..")
const mutant = mutants.find(({ name }) => name === process.argv[2])

if (mutant !== undefined) {
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context)
      if (!url.startsWith("file:") || fileURLToPath(url) !== join(root, mutant.file)) return loaded
      return { ...loaded, source: mutate(mutant, String(loaded.source)) }
    }
  })
}

const { run } = await import("../../../src/simulation/Run.ts")
const { isFaultFree, runScenario } = await import("../../../src/simulation/Scenario.ts")

const runSeed = (seed: number, isFaultFree: boolean): Answer => {
  const { violations } = run({ seed, ...(isFaultFree ? { only: [] } : {}) })
  return { where: isFaultFree ? `seed ${seed} without faults` : `seed ${seed}`, violation: violations[0] }
}

const runScenarios = (): Answer => {
  for (const script of names.map(readScript).filter(isFaultFree)) {
    const { violations } = runScenario(script)
    if (violations.length > 0) return { where: `scenario ${script.name}`, violation: violations[0] }
  }
  return { where: "scenarios", violation: undefined }
}

/** A mutant may crash or hang in ways that the simulator does not survive: that, too, is a violation. */
const answerTo = (task: Task): Answer => {
  try {
    return task.type === "scenarios" ? runScenarios() : runSeed(task.seed, task.isFaultFree)
  } catch (error) {
    return { where: JSON.stringify(task), violation: { invariant: "crash", message: String(error) } }
  }
}

process.on("message", (task: Task) => process.send?.(answerTo(task)))
