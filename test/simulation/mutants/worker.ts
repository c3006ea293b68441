/**
 * A thread whose programs carry one mutant, or none. It runs what it is sent, scenarios and seeds, and answers what each of
 * them violated first.
 */
import { registerHooks } from "node:module"
import { fileURLToPath } from "node:url"
import { join } from "node:path"
import { parentPort, workerData } from "node:worker_threads"
import type { RunOptions } from "../../../src/simulation/Run.ts"
import { readScript } from "../scripts.ts"
import { type Mutant, mutate } from "./Mutant.ts"

export interface Task {
  /** Names of scenarios. */
  readonly scenarios: ReadonlyArray<string>
  readonly seeds: ReadonlyArray<RunOptions>
}

export interface Finding {
  /** What was run when it was violated. */
  readonly where: string
  readonly invariant: string
  readonly message: string
}

/** Sent once the programs are loaded, and then for each task. */
export type Message =
  | { readonly type: "Ready" }
  | { readonly type: "Answer"; readonly findings: ReadonlyArray<Finding>; readonly cpuMillis: number }

const root = join(import.meta.dirname, "../../..")
const mutant: Mutant | undefined = workerData

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
const { runScenario } = await import("../../../src/simulation/Scenario.ts")

type Judged = Pick<ReturnType<typeof run>, "violations">

/** A mutant may crash in ways that the simulator does not survive: that, too, is a violation. */
const findingsOf = (where: string, judged: () => Judged): ReadonlyArray<Finding> => {
  try {
    return judged()
      .violations.slice(0, 1)
      .map(({ invariant, message }) => ({ where, invariant, message }))
  } catch (error) {
    return [{ where, invariant: "crash", message: String(error) }]
  }
}

const nameOf = ({ only, seed }: RunOptions): string => `seed ${seed}${only?.length === 0 ? " without faults" : ""}`

const send = (message: Message) => parentPort?.postMessage(message)

const cpuMillis = () => {
  const { system, user } = process.threadCpuUsage()
  return (system + user) / 1000
}

parentPort?.on("message", ({ scenarios, seeds }: Task) => {
  const before = cpuMillis()
  const findings = [
    ...scenarios.flatMap((name) => findingsOf(`scenario ${name}`, () => runScenario(readScript(name)))),
    ...seeds.flatMap((options) => findingsOf(nameOf(options), () => run(options)))
  ]
  send({ type: "Answer", findings, cpuMillis: cpuMillis() - before })
})
send({ type: "Ready" })
