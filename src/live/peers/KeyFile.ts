/** The key of the voters, from the file that Secret `plenuslb-witness` is mounted as: it may come later, change, or go. */
import { readFileSync } from "node:fs"
import { Effect } from "effect"
import { keyOf, type WitnessKey } from "../../api/WitnessMessage.ts"

/** Undefined: there is none, or what is there is none. Read anew each time: the kubelet replaces it as a whole. */
export const read = (path: string): Effect.Effect<WitnessKey | undefined> =>
  Effect.sync(() => {
    try {
      return keyOf(readFileSync(path, "utf8"))
    } catch {
      return undefined
    }
  })
