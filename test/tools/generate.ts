/**
 * `npm run generate` writes what is generated from the sources; with `--check` it writes nothing, names what is stale and
 * exits with 1. Before either, every CEL rule is put to the library that the in-memory API evaluates them with.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { customResourceDefinitions } from "../../src/api/Crd.ts"
import { badManifests } from "../conformance/bad-manifests.ts"
import { goodManifests } from "../conformance/good-manifests.ts"
import { staleFiles } from "./generated.ts"
import { problemsOfRules } from "./rules.ts"

const root = join(import.meta.dirname, "../..")
const problems = problemsOfRules(customResourceDefinitions, goodManifests, badManifests)
for (const problem of problems) console.error(problem)
const stale = staleFiles(root)
const isCheck = process.argv.includes("--check")
for (const { path, content } of stale) {
  if (isCheck) {
    console.error(`${path} is stale: run "npm run generate" and commit it`)
    continue
  }
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  console.log(`wrote ${path}`)
}
process.exitCode = problems.length === 0 && (!isCheck || stale.length === 0) ? 0 : 1
