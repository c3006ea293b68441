/** Memory of this process, after a full collection. */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

const mebibytes = (bytes: number): number => Math.round((bytes / 2 ** 20) * 10) / 10

export const measure = (): { readonly heapMiB: number; readonly rssMiB: number } => {
  collect()
  const { heapUsed, rss } = process.memoryUsage()
  return { heapMiB: mebibytes(heapUsed), rssMiB: mebibytes(rss) }
}
