/**
 * What the code as it is does with a task: one that fails anyhow proves nothing of a mutant, and one that takes long may do
 * so with it. It is run at most once for each state of the code, also between calls of the command.
 */
import { createHash } from "node:crypto"
import { appendFileSync, existsSync, globSync, mkdirSync, readFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import { Effect, Semaphore } from "effect"
import { newRunner } from "./Runner.ts"
import type { Task } from "./worker.ts"

const root = join(import.meta.dirname, "../../..")

export const cacheFile = join(process.env.PLENUSLB_CACHE ?? join(homedir(), ".cache/plenuslb"), "unchanged.jsonl")

/** The code is allowed this much, whatever it does. */
const limitMillis = 600_000

export interface Known {
  readonly passes: boolean
  readonly cpuMillis: number
}

interface Line extends Known {
  readonly code: string
  readonly task: string
}

const codeHash = (): string => {
  const hash = createHash("sha256")
  const files = globSync(["package-lock.json", "src/**/*.ts", "test/simulation/scenarios/*"], { cwd: root })
  for (const file of files.toSorted()) hash.update(file).update(readFileSync(join(root, file)))
  return hash.digest("hex").slice(0, 16)
}

const read = (file: string, code: string): Map<string, Known> => {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : []
  // A run that was killed may have left half a line.
  const known = lines.filter((line) => line.endsWith("}")).map((line): Line => JSON.parse(line))
  return new Map(known.filter((each) => each.code === code).map((each) => [each.task, each]))
}

export interface Unchanged {
  /** Without running it. */
  readonly known: (task: Task) => Known | undefined
  readonly of: (task: Task) => Effect.Effect<Known>
}

export const newUnchanged = Effect.fnUntraced(function* (file: string) {
  const code = codeHash()
  const all = read(file, code)
  const runner = yield* newRunner(undefined, { leastMillis: limitMillis, of: () => Effect.succeed(limitMillis) })
  const one = yield* Semaphore.make(1)
  const known = (task: Task) => all.get(JSON.stringify(task))
  const of = (task: Task) =>
    one.withPermits(1)(
      Effect.gen(function* () {
        const before = known(task)
        if (before !== undefined) return before
        const { cpuMillis, findings } = yield* runner.ask(task)
        const found: Known = { passes: findings.length === 0, cpuMillis: Math.round(cpuMillis) }
        all.set(JSON.stringify(task), found)
        mkdirSync(dirname(file), { recursive: true })
        appendFileSync(file, `${JSON.stringify({ code, task: JSON.stringify(task), ...found } satisfies Line)}\n`)
        return found
      })
    )
  return { known, of } satisfies Unchanged
})
