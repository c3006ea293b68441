/** The scenarios of `scenarios/*.txt`, read from disk. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parse, type Script } from "../../src/simulation/scenario/Script.ts"

export const folder = join(import.meta.dirname, "scenarios")

export const fileOf = (name: string): string => join(folder, `${name}.txt`)

export const names: ReadonlyArray<string> = readdirSync(folder)
  .filter((file) => file.endsWith(".txt"))
  .map((file) => file.slice(0, -".txt".length))
  .toSorted()

export const readScript = (name: string): Script => parse(name, readFileSync(fileOf(name), "utf8"))
