/** `npm run check`: every static gate, each by its own name, all of them even when one fails. */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"

const effectTsc = "node_modules/@effect/tsgo-linux-x64/lib/tsc"
const types: ReadonlyArray<string> = existsSync(effectTsc)
  ? [effectTsc, "-p", "tsconfig.json"]
  : ["tsc", "-p", "tsconfig.json"]

const gates: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ["format", ["oxfmt", "--check", "src", "test"]],
  ["types and Effect diagnostics", types],
  ["lint", ["oxlint", "--deny-warnings", "src", "test"]],
  ["dead code", ["knip"]],
  ["generated files", ["node", "test/tools/generate.ts", "--check"]]
]

if (!existsSync(effectTsc)) {
  console.log("note: the Effect diagnostics need linux-x64; only the types are checked here")
}
const failed = gates.filter(([name, [command, ...args]]) => {
  const started = performance.now()
  const result = spawnSync(command ?? "", args, { encoding: "utf8" })
  const ok = result.status === 0
  console.log(`${ok ? "ok  " : "FAIL"} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  if (!ok) console.log(result.stdout, result.stderr, result.error?.message ?? "")
  return !ok
})
process.exitCode = failed.length === 0 ? 0 : 1
